import { createHash } from 'node:crypto';
import type { StoredDeadLetter } from '../../model/dead-letters.js';
import {
  FRAME_ID_ALPHABET,
  type Frame,
  frameTime,
  frameTimeMs,
  orderId,
  schemaMember,
} from '../../model/frame.js';
import type { DeadLetter, Refile } from '../../model/journal.js';

const NEWLINE = 10;

/** Of frames that are being settled: a settlement can refile each order by itself. */
const knownStarts = new WeakMap<Frame, readonly number[]>();

/** The offsets at which the orders of a frame start in its payload, and the end of the last one. */
function lineStarts(frame: Frame): readonly number[] {
  const known = knownStarts.get(frame);
  if (known !== undefined) return known;
  const starts = [0];
  knownStarts.set(frame, starts);
  for (let i = 0; i < frame.count; i++) {
    const end = frame.payload.indexOf(NEWLINE, starts[i]);
    if (end < 0) throw new Error(`frame ${frame.id} has fewer orders than its count`);
    starts.push(end + 1);
  }
  return starts;
}

/**
 * The id of a refiled frame, derived from its content. Two processes can both settle the same frame, when one was
 * paused and the other took over; they then refile the same frame. Begins with the time of the original frame's id.
 * Only who knows the original id can derive it, and its receipts tell nothing more than those of the original.
 */
export function refiledFrameId(frame: Frame, { attempt, positions, crashes }: Refile): string {
  const suffix = crashes === undefined ? '' : ` ${crashes}`;
  return derivedFrameId(
    frameTimeMs(frame.id),
    `${frame.id} ${attempt} ${positions.join()}${suffix}`,
  );
}

/** The frame that refiles the listed orders under an id of its own; their bytes are unchanged. */
export function refiledFrame(frame: Frame, refile: Refile, id: string): Frame {
  const starts = lineStarts(frame);
  const lines = refile.positions.map((p) => frame.payload.subarray(starts[p], starts[p + 1]));
  return {
    id,
    count: refile.positions.length,
    payload: Buffer.concat(lines),
    acceptedAtMs: frame.acceptedAtMs,
    attempt: refile.attempt,
    notBeforeMs: refile.notBeforeMs,
    refiled: {
      origin: frame.refiled?.origin ?? frame.id,
      indexes: refile.positions.map((p) => frame.refiled?.indexes[p] ?? p),
    },
    ...(refile.crashes === undefined ? {} : { crashes: refile.crashes }),
    ...schemaMember(frame.schema),
    keys: [],
  };
}

export function deadLettersOf(
  frame: Frame,
  dead: readonly DeadLetter[],
  nowMs: number,
): StoredDeadLetter[] {
  if (dead.length === 0) return [];
  const starts = lineStarts(frame);
  return dead.map(({ position, reason, attempts }) => ({
    orderId: orderId(frame, position),
    reason,
    attempts: attempts ?? frame.attempt,
    firstAtMs: frame.acceptedAtMs,
    lastAtMs: nowMs,
    ...schemaMember(frame.schema),
    body: frame.payload.subarray(starts[position], starts[position + 1]! - 1),
  }));
}

/** Characters after the time in a frame id. */
const DIGEST_CHARS = 16;

/**
 * A frame id derived from `text`: a time, then 80 bits of the SHA-256. The same input gives the same id.
 * @param epochMs NaN for none
 */
export function derivedFrameId(epochMs: number, text: string): string {
  const digest = createHash('sha256').update(text).digest();
  const chars = Array.from(
    digest.subarray(0, DIGEST_CHARS),
    (byte) => FRAME_ID_ALPHABET[byte & 31],
  );
  return frameTime(Number.isNaN(epochMs) ? 0 : epochMs) + chars.join('');
}

/**
 * Milliseconds until a frame is due; 0 when it is. A retry is delayed by `retryMsMax` at most, so a longer delay
 * means that the clock was set back since, and the frame is due now.
 * @param notBeforeMs epoch milliseconds
 */
export function untilDueMs(notBeforeMs: number, nowMs: number, retryMsMax: number): number {
  const waitMs = notBeforeMs - nowMs;
  return waitMs > retryMsMax ? 0 : Math.max(0, waitMs);
}
