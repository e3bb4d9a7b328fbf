import type { StoredDeadLetter } from '../../model/dead-letters.js';
import { decodeDeadLetter, encodeDeadLetter } from '../frame/dead-letter-record.js';
import type { LocalStore } from './local-store.js';

/** A dead letter on its way to NATS, and the message id under which it is stored there once. */
export interface AddressedDeadLetter {
  readonly letter: StoredDeadLetter;
  readonly messageId: string;
}

/** A row of the spool. */
export interface SpooledDeadLetter extends AddressedDeadLetter {
  readonly key: Buffer;
}

/** Neither id contains it. */
const BETWEEN = ' ';

/** To be called inside a write transaction. */
export function spoolDeadLetter(store: LocalStore, addressed: AddressedDeadLetter): void {
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
