import { frameTime } from '../../model/frame.js';
import type { LocalStore } from './local-store.js';
import { isDropped, settledAtMs } from './receipts-table.js';
import { Sweep, type Sweepable } from './sweep.js';

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
export function forgetByAndBy(store: LocalStore, horizons: Horizons): () => void {
  const sweeps = sweepables(store, horizons).map((of) => ({
    table: of.table,
    sweep: new Sweep(of),
  }));
  const forget = () => {
    store.forgetDeadReaders();
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
function sweepables(store: LocalStore, { settledS, idempotencyS }: Horizons): Sweepable[] {
  const agoMs = (seconds: number) => Math.max(0, Date.now() - seconds * 1000);
  const before = (seconds: number) => () => Buffer.from(frameTime(agoMs(seconds)), 'latin1');
  return [
    {
      table: store.settled,
      end: before(settledS),
      // A frame can be old when it is settled, and a double of it comes after that.
      mayForget: (row) => settledAtMs(row) < agoMs(settledS),
    },
    { table: store.forwarded, end: before(settledS), mayForget: () => true },
    { table: store.exceptions, end: before(settledS), mayForget: isDropped },
    { table: store.keys, end: before(idempotencyS), mayForget: () => true },
  ];
}
