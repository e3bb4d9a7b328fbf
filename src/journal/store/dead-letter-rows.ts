import type { StoredDeadLetter } from '../../model/dead-letters.js';
import { decodeDeadLetter, encodeDeadLetter } from '../frame/dead-letter.js';
import type { LocalStore } from './local-store.js';

/** A dead letter on its way to NATS, and the message id under which it is stored there once. */
export interface OutgoingDeadLetter {
  readonly letter: StoredDeadLetter;
  readonly messageId: string;
}

/** A row of the spool. */
export interface SpooledDeadLetter extends OutgoingDeadLetter {
  readonly key: Buffer;
}

/** Neither id contains it. */
const BETWEEN = ' ';

/** To be called inside a write transaction. */
export function spoolDeadLetter(store: LocalStore, addressed: OutgoingDeadLetter): void {
  const { letter, messageId } = addressed;
  const key = Buffer.from(letter.orderId + BETWEEN + messageId, 'latin1');
  store.deadSpool.put(key, encodeDeadLetter(letter));
}

/** The first of those that wait; null when none does. */
export function firstSpooledDeadLetter(store: LocalStore): SpooledDeadLetter | null {
  store.refresh();
  for (const { key, value } of store.deadSpool.getRange({ limit: 1 })) {
    const [orderId, messageId] = key.toString('latin1').split(BETWEEN);
    const letter = decodeDeadLetter(orderId!, Buffer.from(value));
    return { key: Buffer.from(key), messageId: messageId!, letter };
  }
  return null;
}

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
