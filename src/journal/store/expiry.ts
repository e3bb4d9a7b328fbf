import { frameTime } from '../../model/frame.js';
import type { LocalStore, Table } from './local-store.js';
import { isDropped, settledAtMs } from './receipt-rows.js';

export interface Horizons {
  /** Seconds that a frame is remembered after it was settled. */
  readonly settledS: number;
  /** Seconds that an idempotency key is remembered. */
  readonly idempotencyS: number;
}

const ROUND_MS = 5000;
/** Rows of a table that are checked per round: as many as are added in a round at a thousand frames per second. */
const ROWS_MAX = 5000;

/**
 * Deletes expired rows, some every few seconds; returns a function that stops it.
 * @param keptFrom frames from this id on are remembered because the frame log still has them; null for none
 */
export function startExpiry(
  store: LocalStore,
  horizons: Horizons,
  keptFrom: () => string | null = () => null,
): () => void {
  const sweeps = sweptTables(store, horizons, keptFrom).map((of) => ({
    table: of.table,
    sweep: new Sweep(of),
  }));
  const expire = () => {
    store.clearDeadReaders();
    store.refresh();
    const found = sweeps.map(({ table, sweep }) => ({ table, keys: sweep.next(ROWS_MAX) }));
    // Reading is free; an empty transaction is not.
    if (found.every(({ keys }) => keys.length === 0)) return;
    store
      .write(() => {
        for (const { table, keys } of found) for (const key of keys) table.remove(key);
      })
      // The disk takes no writes. That is reported where orders are refused; here it is only retried.
      .catch(() => {});
  };
  const timer = setInterval(expire, ROUND_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** Keys begin with the id of a frame, and so with its time: rows younger than the horizon are not read. */
function sweptTables(
  store: LocalStore,
  { settledS, idempotencyS }: Horizons,
  keptFrom: () => string | null,
): SweptTable[] {
  const agoMs = (seconds: number) => Math.max(0, Date.now() - seconds * 1000);
  const before = (seconds: number) => () => Buffer.from(frameTime(agoMs(seconds)), 'latin1');
  const ended = () => {
    const [end, kept] = [frameTime(agoMs(settledS)), keptFrom()];
    return Buffer.from(kept !== null && kept < end ? kept : end, 'latin1');
  };
  return [
    {
      table: store.settled,
      end: ended,
      // A frame can be old when it is settled, and a duplicate of it can come later.
      isExpired: (row, key) => settledAtMs(row, key) < agoMs(settledS),
    },
    { table: store.forwarded, end: ended, isExpired: () => true },
    { table: store.exceptions, end: before(settledS), isExpired: isDropped },
    { table: store.keys, end: before(idempotencyS), isExpired: () => true },
  ];
}

/** A table, and which of its rows expire. */
interface SweptTable {
  readonly table: Table;
  /** Sorts behind the keys of all rows that may have expired. */
  readonly end: () => Buffer;
  readonly isExpired: (row: Buffer, key: Buffer) => boolean;
}

/**
 * Goes through a table from its front to the horizon, some rows at a time, again and again. Old rows that must stay
 * do not hold up the others.
 */
class Sweep {
  readonly #of: SweptTable;
  /** The last key that was checked; null at the front. */
  #at: Buffer | null = null;

  constructor(of: SweptTable) {
    this.#of = of;
  }

  /** Checks the next `rowsMax` rows and returns the keys of those that have expired. */
  next(rowsMax: number): Buffer[] {
    const { table, end, isExpired } = this.#of;
    const start = this.#at === null ? {} : { start: this.#at, exclusiveStart: true };
    const found: Buffer[] = [];
    let checked = 0;
    for (const { key, value } of table.getRange({ ...start, end: end(), limit: rowsMax })) {
      checked++;
      this.#at = Buffer.from(key);
      if (isExpired(value, this.#at)) found.push(this.#at);
    }
    if (checked < rowsMax) this.#at = null;
    return found;
  }
}
