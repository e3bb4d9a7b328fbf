import { createHash } from 'node:crypto';
import { FRAME_ID_ALPHABET, frameTime } from '../../model/frame.js';

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
