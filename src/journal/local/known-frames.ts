/** What the tables say about a frame that a start finds in the log. */
import type { Log } from '../../model/log.js';
import { freshFacts } from '../store/frame-rows.js';
import type { LocalStore, Table } from '../store/local-store.js';
import { isSettledRow } from '../store/receipt-rows.js';
import { movedKey, printable } from '../store/unreadable-rows.js';
import type { LoggedFrame } from './live-segment.js';

/** Undefined or null where a table does not exist. */
type KnownTables = Partial<
  Record<'settled' | 'forwarded' | 'frames' | 'unreadable', Table | null | undefined>
>;

/** It was settled, or has a row already. */
export function isInTables(tables: KnownTables, key: Buffer): boolean {
  const id = Buffer.from(freshFacts(key).id, 'latin1');
  return (
    tables.settled?.doesExist(id) === true ||
    tables.forwarded?.doesExist(id) === true ||
    tables.frames?.doesExist(key) === true ||
    tables.unreadable?.doesExist(movedKey('frames', key)) === true
  );
}

/** So many rows of `settled` are checked from the first on; of more, those that can be of frames in the log. */
const ROWS_MAX = 20_000;

/**
 * The frames whose row of `settled` has another key, because a byte of it was damaged: the checksum in the row is that
 * of the right key. Writes the rows again. What cannot be told is reported.
 * @param idMin the smallest id of a frame in the log
 * @throws Error the tables take no writes
 */
export function settledUnderOtherKeys(
  store: LocalStore,
  frames: Iterable<LoggedFrame>,
  idMin: string,
  log: Log,
): LoggedFrame[] {
  if (idMin === '') return [];
  const { entryCount } = store.settled.getStats() as { entryCount: number };
  const range = entryCount <= ROWS_MAX ? {} : { start: Buffer.from(idMin, 'latin1') };
  const damaged: { key: Buffer; row: Buffer }[] = [];
  for (const { key, value } of store.settled.getRange(range)) {
    if (!isSettledRow(value, key)) damaged.push({ key: Buffer.from(key), row: Buffer.from(value) });
  }
  return damaged.flatMap(({ key, row }) => {
    log(
      'log-damaged',
      `the row ${printable(key.toString('latin1'))} of the table settled is damaged`,
    );
    for (const frame of frames) {
      const right = Buffer.from(frame.id, 'latin1');
      if (!isSettledRow(row, right)) continue;
      store.transact(() => {
        store.settled.remove(key);
        store.settled.put(right, row);
      });
      return [frame];
    }
    return [];
  });
}
