import type { StoredDeadLetter } from '../../model/dead-letters.js';
import { decodeDeadLetter, encodeDeadLetter } from '../frame/dead-letter.js';
import type { LocalStore } from './local-store.js';

/** A dead letter on its way to NATS, and the message id under which NATS stores it once. */
export interface OutgoingDeadLetter {
  readonly letter: StoredDeadLetter;
  readonly messageId: string;
}

/** A row of the table `deadSpool`. */
export interface SpooledDeadLetter extends OutgoingDeadLetter {
  readonly key: Buffer;
}

/** Neither id contains a space. */
const SEPARATOR = ' ';

/** To be called inside a write transaction. */
export function spoolDeadLetter(store: LocalStore, outgoing: OutgoingDeadLetter): void {
  const { letter, messageId } = outgoing;
  const key = Buffer.from(letter.orderId + SEPARATOR + messageId, 'latin1');
  store.deadSpool.put(key, encodeDeadLetter(letter));
}

/** The first dead letter that waits for NATS; null when there is none. */
export function firstSpooledDeadLetter(store: LocalStore): SpooledDeadLetter | null {
  store.refresh();
  for (const { key, value } of store.deadSpool.getRange({ limit: 1 })) {
    const [orderId, messageId] = key.toString('latin1').split(SEPARATOR);
    const letter = decodeDeadLetter(orderId!, Buffer.from(value));
    return { key: Buffer.from(key), messageId: messageId!, letter };
  }
  return null;
}

/** Row of the table `meta`: 8 bytes, big endian. */
const REPLAYED_KEY = Buffer.from('replayed');

type Transaction = ReturnType<LocalStore['meta']['useReadTransaction']>;

/**
 * How many dead letters were ever replayed. The process that replays need not be the one that drains; this count
 * changes in the same transaction, so the backlog of the draining process stays exact.
 */
export function replayedOrders(store: LocalStore, transaction?: Transaction): number {
  const found = store.meta.get(REPLAYED_KEY, transaction === undefined ? {} : { transaction });
  return found === undefined ? 0 : Number(Buffer.from(found).readBigUInt64BE());
}

/** To be called inside a write transaction that can read its own writes. */
export function countReplayed(store: LocalStore): void {
  const count = Buffer.alloc(8);
  count.writeBigUInt64BE(BigInt(replayedOrders(store) + 1));
  store.meta.put(REPLAYED_KEY, count);
}
