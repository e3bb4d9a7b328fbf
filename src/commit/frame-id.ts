import { randomFillSync } from 'node:crypto';
import { base32, FRAME_ID_ALPHABET, frameTime } from '../model/frame.js';

/** 15 bits: more frames than a thread can start in a millisecond. */
const SEQUENCE_CHARS = 3;
const SEQUENCES = FRAME_ID_ALPHABET.length ** SEQUENCE_CHARS;
/** 65 bits, so that an id cannot be guessed from another one. */
const RANDOM_CHARS = 13;
/** Random bytes for this many ids are drawn in one call. */
const IDS_PER_DRAW = 256;

/**
 * Generates frame ids in the format of a ULID (github.com/ulid/spec), 26 characters: epoch milliseconds, so that ids sort
 * by time; then a sequence number, so that the ids of one instance sort within a millisecond too; then 65 bits of a
 * cryptographic random generator, which make ids unique and secret: who knows an id can read the status of its orders.
 */
export class FrameIds {
  readonly #random = new Uint8Array(IDS_PER_DRAW * RANDOM_CHARS);
  #used = this.#random.length;
  #sequence = 0;
  #stampMs = -1;
  #stamp = '';

  next(nowMs: number): string {
    if (nowMs !== this.#stampMs) {
      this.#stampMs = nowMs;
      this.#stamp = frameTime(nowMs);
      this.#sequence = 0;
    }
    const sequence = base32(this.#sequence++ % SEQUENCES, SEQUENCE_CHARS);
    return this.#stamp + sequence + this.#randomChars();
  }

  #randomChars(): string {
    if (this.#used === this.#random.length) {
      randomFillSync(this.#random);
      this.#used = 0;
    }
    let chars = '';
    const end = this.#used + RANDOM_CHARS;
    for (; this.#used < end; this.#used++) {
      chars += FRAME_ID_ALPHABET[this.#random[this.#used] & (FRAME_ID_ALPHABET.length - 1)];
    }
    return chars;
  }
}
