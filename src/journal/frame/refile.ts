import { createHash } from 'node:crypto';
import type { StoredDeadLetter } from '../../model/dead-letters.js';
import {
  FRAME_ID_ALPHABET,
  type Frame,
  frameTime,
  frameTimeMs,
  orderId,
} from '../../model/frame.js';
import type { DeadLetter, Refile } from '../../model/journal.js';

const NEWLINE = 10;

/** Where each order of a frame starts in its payload, and where the last one ends. */
function lineStarts(frame: Frame): number[] {
  const starts = [0];
  for (let i = 0; i < frame.count; i++) {
    const end = frame.payload.indexOf(NEWLINE, starts[i]);
    if (end < 0) throw new Error(`frame ${frame.id} has fewer orders than its count says`);
    starts.push(end + 1);
  }
  return starts;
}

/**
 * The id of a frame that is filed again, where it follows from what is filed: should two processes come to settle the
 * same frame, because one was stopped for a while and the other took it over, they file the same. It begins
 * with the time of the frame's own id.
 */
export function refiledFrameId(frame: Frame, { attempt, positions }: Refile): string {
  return derivedFrameId(frameTimeMs(frame.id), `${frame.id} ${attempt} ${positions.join()}`);
}

/** The frame that files the listed orders again, under an id of its own; bytes as they were. */
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
    keys: [],
  };
}

export function keptDeadLetters(
  frame: Frame,
  dead: readonly DeadLetter[],
  nowMs: number,
): StoredDeadLetter[] {
  if (dead.length === 0) return [];
  const starts = lineStarts(frame);
  return dead.map(({ position, reason }) => ({
    orderId: orderId(frame, position),
    reason,
    attempts: frame.attempt,
    firstAtMs: frame.acceptedAtMs,
    lastAtMs: nowMs,
    body: frame.payload.subarray(starts[position], starts[position + 1]! - 1),
  }));
}

/** What follows the time in a frame id. */
const DIGEST_CHARS = 16;

/**
 * A frame id that follows from `text` alone, so that filing the same again gives the same frame: 80 bits of its SHA-256
 * behind the time.
 *
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
 * Milliseconds until a frame is due; 0 when it is. No retry is ever put off for longer than `retryMsMax`, so one that
 * seems to be was filed before the clock was set back, and is due now rather than when the clock has caught up.
 *
 * @param notBeforeMs epoch milliseconds
 */
export function untilDueMs(notBeforeMs: number, nowMs: number, retryMsMax: number): number {
  const waitMs = notBeforeMs - nowMs;
  return waitMs > retryMsMax ? 0 : Math.max(0, waitMs);
}
