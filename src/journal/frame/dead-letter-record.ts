import type { StoredDeadLetter } from '../../model/dead-letters.js';
import { requireReadable } from './dead-letter-checks.js';

const BODY = Buffer.from(',"body":');

/** JSON with the order as its last member, spelt byte for byte as it was accepted. */
export function encodeDeadLetter(letter: StoredDeadLetter): Buffer {
  const { reason, attempts, firstAtMs, lastAtMs, body } = letter;
  const head = JSON.stringify({ reason, attempts, firstAtMs, lastAtMs });
  return Buffer.concat([Buffer.from(head.slice(0, -1)), BODY, body, Buffer.from('}')]);
}

/** @throws Error when the record is none that can be filed again; the message does not name it */
export function decodeDeadLetter(orderId: string, record: Buffer): StoredDeadLetter {
  // The reason comes before it, but in JSON its quotes would be escaped.
  const bodyAt = record.indexOf(BODY);
  if (bodyAt < 0) throw new Error('it has no body');
  const head = JSON.parse(`${record.toString('utf8', 0, bodyAt)}}`) as StoredDeadLetter;
  const { reason, attempts, firstAtMs, lastAtMs } = head;
  const body = record.subarray(bodyAt + BODY.length, -1);
  return requireReadable({ orderId, reason, attempts, firstAtMs, lastAtMs, body });
}
