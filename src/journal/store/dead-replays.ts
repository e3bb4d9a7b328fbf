import type { LocalStore } from './local-store.js';

/** In the table `meta`, 8 bytes, big endian. */
const NAME = Buffer.from('replayed');

type Transaction = ReturnType<LocalStore['meta']['useReadTransaction']>;

/**
 * Orders that were ever filed again from the dead letters. Another process than the one that drains may
 * do so; by this count, which changes in the same transaction, that one's backlog stays exact.
 */
export function replayedOrders(store: LocalStore, transaction?: Transaction): number {
  const found = store.meta.get(NAME, transaction === undefined ? {} : { transaction });
  return found === undefined ? 0 : Number(Buffer.from(found).readBigUInt64BE());
}

/** To be called inside a write transaction that can read what it has written. */
export function countReplayed(store: LocalStore): void {
  const count = Buffer.alloc(8);
  count.writeBigUInt64BE(BigInt(replayedOrders(store) + 1));
  store.meta.put(NAME, count);
}
