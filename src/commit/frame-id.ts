import { randomBytes } from 'node:crypto';
import { base32, FRAME_ID_ALPHABET, frameTime } from '../model/frame.js';

const ORIGIN_CHARS = 8;
const COUNTER_CHARS = 8;

/**
 * Generates frame ids in the format of a ULID (github.com/ulid/spec), 26 characters: epoch milliseconds, so that ids sort
 * by time; then 40 random bits, drawn once per instance; then a counter. The random bits make ids unique across threads,
 * processes and restarts, the counter within one instance even if the clock is set back.
 */
export class FrameIds {
  readonly #origin: string;
  #counter = 0;
  #stampMs = -1;
  #stamp = '';

  constructor(random: Uint8Array = randomBytes(ORIGIN_CHARS)) {
    const origin = random.subarray(0, ORIGIN_CHARS);
    this.#origin = Array.from(origin, (byte) => FRAME_ID_ALPHABET[byte & 31]).join('');
  }

  next(nowMs: number): string {
    if (nowMs !== this.#stampMs) {
      this.#stampMs = nowMs;
      this.#stamp = frameTime(nowMs);
    }
    return this.#stamp + this.#origin + base32(this.#counter++, COUNTER_CHARS);
  }
}
