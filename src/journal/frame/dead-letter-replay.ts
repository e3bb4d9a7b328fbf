import type { StoredDeadLetter } from '../../model/dead-letters.js';
import type { Frame } from '../../model/frame.js';
import { placeOf } from './dead-letter-checks.js';
import { derivedFrameId } from './derived-id.js';

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
