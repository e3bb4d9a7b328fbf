import { FRAME_ID_ALPHABET } from '../model/frame.js';

/** A frame id has 26 characters of 5 bits. As in any ULID the first is at most 7, so 128 bits are enough. */
const FRAME_ID_CHARS = 26;
const FIRST_CHAR_BITS = 3;
const CHAR_BITS = 5;
const WORD_BITS = 32;
const FRAME_WORDS = 4;

/** Writes the frame id as four words to `out[0, 4)`; false if it is not a frame id. Allocates nothing. */
export function packFrameId(id: string, out: Int32Array): boolean {
  if (id.length !== FRAME_ID_CHARS) return false;
  let rest = 0;
  let bits = FIRST_CHAR_BITS - CHAR_BITS;
  let word = 0;
  for (let i = 0; i < FRAME_ID_CHARS; i++) {
    const digit = FRAME_ID_ALPHABET.indexOf(id[i]);
    if (digit < 0 || (i === 0 && digit >= 2 ** FIRST_CHAR_BITS)) return false;
    // At most 31 bits remain, so `rest` stays below 2^36 and is exact.
    rest = rest * 2 ** CHAR_BITS + digit;
    bits += CHAR_BITS;
    if (bits < WORD_BITS) continue;
    bits -= WORD_BITS;
    const high = Math.floor(rest / 2 ** bits);
    out[word++] = high | 0;
    rest -= high * 2 ** bits;
  }
  return true;
}

/** The frame id that `packFrameId` wrote, now in `words[at, at + 4)`. */
export function unpackFrameId(words: Int32Array, at: number): string {
  let id = '';
  let rest = 0;
  let bits = 0;
  let take = FIRST_CHAR_BITS;
  for (let word = at; word < at + FRAME_WORDS; word++) {
    rest = rest * 2 ** WORD_BITS + (words[word] >>> 0);
    bits += WORD_BITS;
    while (bits >= take) {
      bits -= take;
      const digit = Math.floor(rest / 2 ** bits);
      rest -= digit * 2 ** bits;
      id += FRAME_ID_ALPHABET[digit];
      take = CHAR_BITS;
    }
  }
  return id;
}
