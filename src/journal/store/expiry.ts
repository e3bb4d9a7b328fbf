import { frameTime } from '../../model/frame.js';
import type { LocalStore, Table } from './local-store.js';
import { isDropped, settledAtMs } from './receipt-rows.js';

export interface Horizons {
  /** Seconds that a frame is known after it was settled. */
  readonly settledS: number;
  /** Seconds that an idempotency key is remembered. */
  readonly idempotencyS: number;
}

const ROUND_MS = 5000;
/** Rows of a table that are looked at in a round, so as many as come in it at a thousand frames a second. */
const ROWS_MAX = 5000;

/** Deletes what nobody may ask for any more, some every few seconds; returns how to end that. */
export function startExpiry(store: LocalStore, horizons: Horizons): () => void {
  const sweeps = sweepables(store, horizons).map((of) => ({
    table: of.table,
    sweep: new Sweep(of),
  }));
  const forget = () => {
    store.clearDeadReaders();
    store.refresh();
    const found = sweeps.map(({ table, sweep }) => ({ table, keys: sweep.next(ROWS_MAX) }));
    // A look is free; a transaction with nothing in it is not.
    if (found.every(({ keys }) => keys.length === 0)) return;
    store
      .write(() => {
        for (const { table, keys } of found) for (const key of keys) table.remove(key);
      })
      // The disk takes no writes: it is said where orders are refused, and tried again here.
      .catch(() => {});
  };
  const timer = setInterval(forget, ROUND_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** Keys begin with the id of a frame, and so with its time: what is younger than the horizon need not be looked at. */
function sweepables(store: LocalStore, { settledS, idempotencyS }: Horizons): SweptTable[] {
  const agoMs = (seconds: number) => Math.max(0, Date.now() - seconds * 1000);
  const before = (seconds: number) => () => Buffer.from(frameTime(agoMs(seconds)), 'latin1');
  return [
    {
      table: store.settled,
      end: before(settledS),
      // A frame can be old when it is settled, and a double of it comes after that.
      isExpired: (row) => settledAtMs(row) < agoMs(settledS),
    },
    { table: store.forwarded, end: before(settledS), isExpired: () => true },
    { table: store.exceptions, end: before(settledS), isExpired: isDropped },
    { table: store.keys, end: before(idempotencyS), isExpired: () => true },
  ];
}

/** A table of which rows are to be forgotten, and which. */
interface SweptTable {
  readonly table: Table;
  /** Sorts behind all keys of rows that may be forgotten. */
  readonly end: () => Buffer;
  readonly isExpired: (row: Buffer) => boolean;
}

/**
 * Goes through a table from its front to where nothing may be forgotten, some rows at a time, again and again: rows
 * that must stay for now, though their keys are old, hold up no others.
 */
class Sweep {
  readonly #of: SweptTable;
  /** The last key that was looked at; null at the front. */
  #at: Buffer | null = null;

  constructor(of: SweptTable) {
    this.#of = of;
  }

  /** The keys of rows to be removed, of the next `rowsMax` that are looked at. */
  next(rowsMax: number): Buffer[] {
    const { table, end, isExpired } = this.#of;
    const start = this.#at === null ? {} : { start: this.#at, exclusiveStart: true };
    const found: Buffer[] = [];
    let looked = 0;
    for (const { key, value } of table.getRange({ ...start, end: end(), limit: rowsMax })) {
      looked++;
      this.#at = Buffer.from(key);
      if (isExpired(value)) found.push(this.#at);
    }
    if (looked < rowsMax) this.#at = null;
    return found;
  }
}
