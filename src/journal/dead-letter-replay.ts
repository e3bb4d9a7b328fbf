import { createHash } from 'node:crypto';
import type { KeptDeadLetter } from '../contract/dead-letters.js';
import type { Frame } from '../contract/frame.js';
import { FRAME_ID_ALPHABET, frameTime } from '../contract/frame-time.js';
import { placeOf } from './dead-letter-checks.js';

const DIGEST_CHARS = 16;

/** The frame that files a dead letter's order again, as its first attempt and due at once. */
export function replayFrame(letter: KeptDeadLetter, id: string): Frame {
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
export function replayFrameId({ orderId, lastAtMs }: KeptDeadLetter): string {
  const digest = createHash('sha256').update(`${orderId} ${lastAtMs}`).digest();
  const chars = Array.from(
    digest.subarray(0, DIGEST_CHARS),
    (byte) => FRAME_ID_ALPHABET[byte & 31],
  );
  return frameTime(lastAtMs) + chars.join('');
}
