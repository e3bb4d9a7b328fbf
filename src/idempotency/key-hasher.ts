import { KEY_WORDS } from '../memory/key-table.js';
import { IDEMPOTENCY_KEY_CHARS_MAX } from '../model/idempotency-key.js';
import { halfSipHash } from './half-sip-hash.js';

const HASH_WORDS = 4;

/**
 * The hash key of the digest. It must never change, because journals keep digests across restarts and versions. It is not
 * secret, so a client could construct two orders with the same digest, but that affects only its own idempotency key.
 */
const DIGEST_KEY0 = 0x666f7265;
const DIGEST_KEY1 = 0x62617931;

/** Hashes keys and orders to the words that the key table compares. One per thread. */
export class KeyHasher {
  readonly #seeds: readonly [number, number, number, number];
  readonly #bytes = new Uint8Array(IDEMPOTENCY_KEY_CHARS_MAX);

  /** @param seeds must be the same in all threads that share a table */
  constructor(seeds: readonly [number, number, number, number]) {
    this.#seeds = seeds;
  }

  /** @param key visible ASCII. @param order `order[0, length)` is the canonical form of an order: see `BodyValidator` */
  hash(key: string, order: Uint8Array, length: number): Int32Array {
    const words = new Int32Array(KEY_WORDS);
    this.#hash(key, words);
    halfSipHash(DIGEST_KEY0, DIGEST_KEY1, order, length, words, HASH_WORDS);
    return words;
  }

  /**
   * The same for a batch: the digest is that of the digests of its orders, so it differs from that of an order.
   *
   * @param orders each is a compact order without its line end
   */
  hashBatch(key: string, orders: readonly Uint8Array[]): Int32Array {
    const digests = new Int32Array(2 * orders.length);
    for (const [index, order] of orders.entries()) {
      halfSipHash(DIGEST_KEY0, DIGEST_KEY1, order, order.length, digests, 2 * index);
    }
    return this.hash(key, new Uint8Array(digests.buffer), digests.byteLength);
  }

  /** The same from a digest of 16 hexadecimal digits, as journals keep it. */
  hashWithDigest(key: string, digest: string): Int32Array {
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

/** The digest in `words`, as 16 hexadecimal digits. */
export function digestText(words: Int32Array): string {
  return hex(words[HASH_WORDS]) + hex(words[HASH_WORDS + 1]);
}

/** Text of each byte: joining four of them is faster than formatting a number. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function hex(word: number): string {
  return HEX[word >>> 24] + HEX[(word >>> 16) & 255] + HEX[(word >>> 8) & 255] + HEX[word & 255];
}
