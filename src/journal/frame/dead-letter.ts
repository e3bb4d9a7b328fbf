import type { StoredDeadLetter } from '../../model/dead-letters.js';
import type { Frame, Refiled } from '../../model/frame.js';
import { derivedFrameId } from './refile.js';

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
  return requireValidDeadLetter({ orderId, reason, attempts, firstAtMs, lastAtMs, body });
}

const LINE_END = 10;

/**
 * A dead letter as it was read, if it can be filed again: whatever else may write to the same place, nothing that
 * comes after this has to doubt it.
 *
 * @throws Error that says what is wrong with it, without its id
 */
export function requireValidDeadLetter(letter: StoredDeadLetter): StoredDeadLetter {
  const { reason, attempts, firstAtMs, lastAtMs, body } = letter;
  placeOf(letter.orderId);
  if (typeof reason !== 'string') throw new Error('it has no reason');
  if (!isWhole(attempts) || attempts === 0)
    throw new Error('it does not say how often it was tried');
  if (!isWhole(firstAtMs) || !isWhole(lastAtMs)) throw new Error('it has no times');
  if (body.length === 0) throw new Error('it has no body');
  if (body.includes(LINE_END)) throw new Error('its body is more than one line');
  return letter;
}

/** Where the order stood in the frame it was accepted in. @throws Error when that is no order id */
export function placeOf(orderId: string): Refiled {
  const found = /^([\w-]{1,64})-(0|[1-9]\d{0,8})$/.exec(orderId);
  if (found === null) throw new Error('that is no order id');
  return { origin: found[1]!, indexes: [Number(found[2])] };
}

function isWhole(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** The frame that files a dead letter's order again, as its first attempt and due at once. */
export function replayFrame(letter: StoredDeadLetter, id: string): Frame {
  return {
    id,
    count: 1,
    payload: Buffer.concat([letter.body, Buffer.from('\n')]),
    acceptedAtMs: letter.firstAtMs,
    attempt: 1,
    notBeforeMs: 0,
    refiled: placeOf(letter.orderId),
    keys: [],
  };
}

/**
 * A frame id that follows from the dead letter alone, so that filing it again twice gives the same
 * frame. An order that fails again is a new letter, with another time and hence another id.
 */
export function replayFrameId({ orderId, lastAtMs }: StoredDeadLetter): string {
  return derivedFrameId(lastAtMs, `${orderId} ${lastAtMs}`);
}
