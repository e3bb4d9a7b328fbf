import { KEY_WORDS } from '../memory/key-table.js';
import { IDEMPOTENCY_KEY_CHARS_MAX } from '../model/stages.js';
import { halfSipHash } from './half-sip-hash.js';

const HASH_WORDS = 4;

/**
 * The key of the digest, for ever: journals keep digests over restarts and versions. It is no secret, so a
 * client could make two orders of the same digest; the only one it can fool is itself, under its own key.
 */
const DIGEST_KEY0 = 0x666f7265;
const DIGEST_KEY1 = 0x62617931;

/** Turns keys and orders into the words that the table compares. One a thread. */
export class KeyHasher {
  readonly #seeds: readonly [number, number, number, number];
  readonly #bytes = new Uint8Array(IDEMPOTENCY_KEY_CHARS_MAX);

  /** @param seeds the same in all threads that share a table */
  constructor(seeds: readonly [number, number, number, number]) {
    this.#seeds = seeds;
  }

  /**
   * `key` is visible ASCII. `order[0, length)` is a compact order without its line end.
   */
  wordsOf(key: string, order: Uint8Array, length: number): Int32Array {
    const words = new Int32Array(KEY_WORDS);
    this.#hash(key, words);
    halfSipHash(DIGEST_KEY0, DIGEST_KEY1, order, length, words, HASH_WORDS);
    return words;
  }

  /** The same of a digest in 16 hexadecimal digits, as journals keep it. */
  wordsFrom(key: string, digest: string): Int32Array {
    const words = new Int32Array(KEY_WORDS);
    this.#hash(key, words);
    for (let i = 0; i < 2; i++) {
      words[HASH_WORDS + i] = Number.parseInt(digest.slice(8 * i, 8 * i + 8), 16);
    }
    return words;
  }

  #hash(key: string, words: Int32Array): void {
    const length = Math.min(key.length, this.#bytes.length);
    for (let i = 0; i < length; i++) this.#bytes[i] = key.charCodeAt(i);
    const [a, b, c, d] = this.#seeds;
    halfSipHash(a, b, this.#bytes, length, words, 0);
    halfSipHash(c, d, this.#bytes, length, words, 2);
  }
}

/** The digest among the words, 16 hexadecimal digits. */
export function digestText(words: Int32Array): string {
  return hex(words[HASH_WORDS]) + hex(words[HASH_WORDS + 1]);
}

/** Of each byte: putting four together is faster than formatting a number. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function hex(word: number): string {
  return HEX[word >>> 24] + HEX[(word >>> 16) & 255] + HEX[(word >>> 8) & 255] + HEX[word & 255];
}
