import type { Frame } from '../../model/frame.js';

const LINE_END = 10;

/**
 * A frame as it was read, if its parts agree: as many lines as it announces, each ended, and a place of
 * origin for each where it was filed again. Whatever else may write to the same stream, nothing that
 * comes after this has to doubt a frame.
 *
 * @throws Error that names the frame and what does not agree
 */
export function requireWhole(frame: Frame): Frame {
  const { id, count, payload, refiled } = frame;
  let lines = 0;
  for (let at = payload.indexOf(LINE_END); at >= 0; at = payload.indexOf(LINE_END, at + 1)) lines++;
  const isEnded = payload.length > 0 && payload[payload.length - 1] === LINE_END;
  const hasOrigins = refiled === null || refiled.indexes.length === count;
  if (lines !== count || !isEnded || !hasOrigins) {
    throw new Error(`frame ${id} announces ${count} orders and has ${lines} whole lines`);
  }
  return frame;
}
