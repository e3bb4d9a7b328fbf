import type { Frame } from '../../model/frame.js';
import type { Settlement } from '../../model/journal.js';
import { encodeDeadLetter } from '../frame/dead-letter-record.js';
import { encodeRecord } from '../frame/record.js';
import { keptDeadLetters, refiledFrame } from '../frame/refile.js';
import { recordKeys } from '../store/idempotency-rows.js';
import type { LocalStore, Table } from '../store/local-store.js';
import { recordForwarded, recordSettled, settledFrame } from '../store/receipts-table.js';
import { ageKey, laterKey } from '../store/row-keys.js';

/** What a dead letter takes beside its order and its reason: keys, times, and a row for receipts. */
const LETTER_BYTES = 256;

/** Where a frame lies, and under which key. */
export interface FrameRow {
  readonly table: Table;
  readonly key: Buffer;
}

/**
 * The writes that settle a frame, to be made in one transaction and, should that fail, again: ids
 * and times are fixed here, once.
 */
export function settlementWrites(
  store: LocalStore,
  frame: Frame,
  row: FrameRow,
  settlement: Settlement,
  newFrameId: () => string,
): () => void {
  const refiled = settlement.refile.map((refile) => refiledFrame(frame, refile, newFrameId()));
  const dead = keptDeadLetters(frame, settlement.dead, Date.now());
  const settled = settledFrame(frame, settlement);
  return () => {
    recordSettled(store, settled);
    for (const again of refiled) {
      store.later.put(laterKey(again), encodeRecord(again));
      store.ages.put(ageKey(again), Buffer.alloc(0));
    }
    for (const letter of dead) {
      store.dead.put(Buffer.from(letter.orderId, 'latin1'), encodeDeadLetter(letter));
    }
    removeRow(store, frame, row);
  };
}

/** About how much those writes put into the tables: next to nothing for what is done. */
export function settlementBytes(frame: Frame, { refile, dead }: Settlement): number {
  const moved = refile.length + dead.length === 0 ? 0 : frame.payload.length;
  return dead.reduce((bytes, { reason }) => bytes + reason.length + LETTER_BYTES, moved);
}

/** The writes by which a frame leaves for another journal, in the same way. */
export function forwardedWrites(store: LocalStore, frame: Frame, row: FrameRow): () => void {
  return () => {
    recordForwarded(store, frame);
    recordKeys(store, frame);
    removeRow(store, frame, row);
  };
}

function removeRow(store: LocalStore, frame: Frame, row: FrameRow): void {
  row.table.remove(row.key);
  if (row.table === store.later) store.ages.remove(ageKey(frame));
}
