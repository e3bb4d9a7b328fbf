import type { StoredDeadLetter } from '../../model/dead-letters.js';
import { sealBytes, unsealBytes } from '../frame/checksum.js';
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
  store.deadSpool.put(key, encodeDeadLetter(letter, key));
}

/** To be called inside a write transaction. */
export function putDeadLetter(store: LocalStore, letter: StoredDeadLetter): void {
  const key = deadKey(letter.orderId);
  store.dead.put(key, encodeDeadLetter(letter, key));
}

/** Key in the table `dead`. */
export function deadKey(orderId: string): Buffer {
  return Buffer.from(orderId, 'latin1');
}

/** @throws Error this row of `dead` is not a valid dead letter; the message does not name it */
export function decodeDead(key: Buffer, value: Buffer): StoredDeadLetter {
  return decodeDeadLetter(key.toString('latin1'), value, key);
}

/** The same for a row of `deadSpool`. */
export function decodeSpooledDead(key: Buffer, value: Buffer): SpooledDeadLetter {
  const [orderId, messageId] = key.toString('latin1').split(SEPARATOR);
  if (messageId === undefined) throw new Error('its key has no message id');
  return { key, messageId, letter: decodeDeadLetter(orderId!, value, key) };
}

/** The first dead letter that waits for NATS and can be read; null when there is none. */
export function firstSpooledDeadLetter(store: LocalStore): SpooledDeadLetter | null {
  store.refresh();
  for (const { key, value } of store.deadSpool.getRange()) {
    try {
      return decodeSpooledDead(Buffer.from(key), Buffer.from(value));
    } catch {
      // Reported and moved away by the sweep: see ../local/unreadable.ts.
    }
  }
  return null;
}

/** Row of the table `meta`: 8 bytes, big endian. */
const REPLAYED_KEY = Buffer.from('replayed');
const REPLAYED_BYTES = 8;

type Transaction = ReturnType<LocalStore['meta']['useReadTransaction']>;

/**
 * How many dead letters were ever replayed. The process that replays need not be the one that drains; this count
 * changes in the same transaction, so the backlog of the draining process stays exact.
 */
export function replayedOrders(store: LocalStore, transaction?: Transaction): number {
  const found = store.meta.get(REPLAYED_KEY, transaction === undefined ? {} : { transaction });
  if (found === undefined) return 0;
  try {
    return Number(unsealBytes(Buffer.from(found), REPLAYED_KEY, REPLAYED_BYTES).readBigUInt64BE());
  } catch {
    // Only differences matter, and those within one run.
    return 0;
  }
}

/** To be called inside a write transaction that can read its own writes. */
export function countReplayed(store: LocalStore): void {
  const count = Buffer.alloc(REPLAYED_BYTES);
  count.writeBigUInt64BE(BigInt(replayedOrders(store) + 1));
  store.meta.put(REPLAYED_KEY, sealBytes(count, REPLAYED_KEY));
}
