import { frameTime } from '../contract/frame-time.js';
import { forgetKeys } from './key-rows.js';
import type { LocalStore } from './local-store.js';
import { forgetSettled } from './receipts-table.js';

export interface Horizons {
  /** Seconds that an order is known after it is done. */
  readonly receiptsS: number;
  /** Seconds that an idempotency key is remembered. */
  readonly idempotencyS: number;
}

const ROUND_MS = 5000;
/** Rows of a table that go in one transaction; as many as come in a round at a thousand frames a second. */
const ROWS_MAX = 5000;

/** Deletes what nobody may ask for any more, some every few seconds; returns how to end that. */
export function forgetByAndBy(store: LocalStore, bounds: Horizons): () => void {
  const { receiptsS, idempotencyS } = bounds;
  const forget = () => {
    store.forgetDeadReaders();
    const nowMs = Date.now();
    const settledBefore = frameTime(Math.max(0, nowMs - receiptsS * 1000));
    const keysBefore = frameTime(Math.max(0, nowMs - idempotencyS * 1000));
    if (!hasBefore(store, settledBefore, keysBefore)) return;
    store
      .write(() => {
        forgetSettled(store, settledBefore, ROWS_MAX);
        forgetKeys(store, keysBefore, ROWS_MAX);
      })
      // The disk takes no writes: it is said where orders are refused, and tried again here.
      .catch(() => {});
  };
  const timer = setInterval(forget, ROUND_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** A look is free; a transaction with nothing in it is not. */
function hasBefore(store: LocalStore, settledBefore: string, keysBefore: string): boolean {
  store.refresh();
  const tables = [
    [store.settled, settledBefore],
    [store.forwarded, settledBefore],
    [store.keys, keysBefore],
  ] as const;
  return tables.some(([table, before]) => {
    const [first] = table.getKeys({ limit: 1 });
    return first !== undefined && first.compare(Buffer.from(before, 'latin1')) < 0;
  });
}
