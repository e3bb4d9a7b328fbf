import { randomBytes } from 'node:crypto';

/** Crockford's base 32, the alphabet of ULID: sorts as it counts, has no look-alikes. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_CHARS = 10;
const ORIGIN_CHARS = 8;
const COUNTER_CHARS = 8;

/**
 * Makes frame ids in the shape of a ULID (github.com/ulid/spec), 26 characters: epoch milliseconds
 * first, so that ids sort by time; then 40 random bits drawn once for each instance; then a counter. The random
 * bits keep threads, processes and restarts apart, the counter keeps ids of one instance apart
 * even when the clock is set back.
 */
export class FrameIds {
  readonly #origin: string;
  #counter = 0;
  #stampMs = -1;
  #stamp = '';

  constructor(random: Uint8Array = randomBytes(ORIGIN_CHARS)) {
    this.#origin = Array.from(random.subarray(0, ORIGIN_CHARS), (b) => ALPHABET[b & 31]).join('');
  }

  next(nowMs: number): string {
    if (nowMs !== this.#stampMs) {
      this.#stampMs = nowMs;
      this.#stamp = encode(nowMs, TIME_CHARS);
    }
    return this.#stamp + this.#origin + encode(this.#counter++, COUNTER_CHARS);
  }
}

function encode(value: number, chars: number): string {
  let text = '';
  for (let i = 0; i < chars; i++) {
    text = ALPHABET[value % 32] + text;
    value = Math.floor(value / 32);
  }
  return text;
}
