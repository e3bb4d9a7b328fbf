import { ANCHOR, type KeyShape, RECORD, RECORD_WORDS, type StripePlaces } from './key-layout.js';

/** Expired records that an insertion takes out at most: more than one, so that they can't pile up. */
const REAPED_MAX = 4;

/**
 * The records of one stripe: found by their hash through chained buckets, and linked in the order in
 * which they expire. All keys live equally long, so a record that is renewed goes to the end of that
 * order, and those to be forgotten stand at its beginning. Everything takes constant time.
 *
 * Plain memory: only for whoever holds the stripe's lock. A record is named by its number, from 1.
 */
export class KeyStripe {
  readonly #words: Int32Array;
  readonly #floats: Float64Array;
  readonly #anchors: number;
  readonly #heads: number;
  readonly #records: number;
  readonly #bucketMask: number;
  readonly #slots: number;

  constructor(words: Int32Array, floats: Float64Array, shape: KeyShape, places: StripePlaces) {
    this.#words = words;
    this.#floats = floats;
    this.#anchors = places.anchors;
    this.#heads = places.heads;
    // Record 1 stands first.
    this.#records = places.records - RECORD_WORDS;
    this.#bucketMask = shape.buckets - 1;
    this.#slots = shape.slots;
  }

  /** Where the fields of a record begin in the memory's words. */
  at(record: number): number {
    return this.#records + record * RECORD_WORDS;
  }

  expiryNs(record: number): number {
    return this.#floats[(this.at(record) + RECORD.expiry) / 2];
  }

  get live(): number {
    return this.#words[this.#anchors + ANCHOR.live];
  }

  /** The record with this hash, `key[0, 4)`; 0 when there is none. It may have expired. */
  find(key: Int32Array): number {
    const words = this.#words;
    let record = words[this.#head(key[1])];
    while (record !== 0) {
      const at = this.at(record);
      if (
        words[at] === key[0] &&
        words[at + 1] === key[1] &&
        words[at + 2] === key[2] &&
        words[at + 3] === key[3]
      ) {
        return record;
      }
      record = words[at + RECORD.chain];
    }
    return 0;
  }

  /**
   * A new record with hash and digest as in `key[0, 6)`; the caller fills in state and frame. 0 when
   * there is room for none, because all that are there have yet to live.
   */
  insert(key: Int32Array, nowNs: number, expiryNs: number): number {
    this.reap(nowNs, REAPED_MAX);
    const record = this.#takeFree();
    if (record === 0) return 0;
    const words = this.#words;
    const at = this.at(record);
    for (let i = 0; i < RECORD.chain; i++) words[at + i] = key[i];
    const head = this.#head(key[1]);
    words[at + RECORD.chain] = words[head];
    words[head] = record;
    words[this.#anchors + ANCHOR.live]++;
    this.#linkNewest(record, expiryNs);
    return record;
  }

  /** The record expires then, and after all others. */
  renew(record: number, expiryNs: number): void {
    this.#unlink(record);
    this.#linkNewest(record, expiryNs);
  }

  remove(record: number): void {
    const words = this.#words;
    const at = this.at(record);
    this.#unlink(record);
    let link = this.#head(words[at + 1]);
    while (words[link] !== record) link = this.at(words[link]) + RECORD.chain;
    words[link] = words[at + RECORD.chain];
    words[at + RECORD.newer] = words[this.#anchors + ANCHOR.free];
    words[this.#anchors + ANCHOR.free] = record;
    words[this.#anchors + ANCHOR.live]--;
  }

  /** Takes out records that have expired, oldest first, at most so many. */
  reap(nowNs: number, recordsMax: number): void {
    for (let i = 0; i < recordsMax; i++) {
      const oldest = this.#words[this.#anchors + ANCHOR.oldest];
      if (oldest === 0 || this.expiryNs(oldest) > nowNs) return;
      this.remove(oldest);
    }
  }

  #head(hashWord: number): number {
    return this.#heads + (hashWord & this.#bucketMask);
  }

  #takeFree(): number {
    const words = this.#words;
    const free = words[this.#anchors + ANCHOR.free];
    if (free !== 0) {
      words[this.#anchors + ANCHOR.free] = words[this.at(free) + RECORD.newer];
      return free;
    }
    const used = words[this.#anchors + ANCHOR.used];
    if (used === this.#slots) return 0;
    words[this.#anchors + ANCHOR.used] = used + 1;
    return used + 1;
  }

  #linkNewest(record: number, expiryNs: number): void {
    const words = this.#words;
    const at = this.at(record);
    const newest = words[this.#anchors + ANCHOR.newest];
    this.#floats[(at + RECORD.expiry) / 2] = expiryNs;
    words[at + RECORD.older] = newest;
    words[at + RECORD.newer] = 0;
    if (newest === 0) words[this.#anchors + ANCHOR.oldest] = record;
    else words[this.at(newest) + RECORD.newer] = record;
    words[this.#anchors + ANCHOR.newest] = record;
  }

  #unlink(record: number): void {
    const words = this.#words;
    const at = this.at(record);
    const older = words[at + RECORD.older];
    const newer = words[at + RECORD.newer];
    if (older === 0) words[this.#anchors + ANCHOR.oldest] = newer;
    else words[this.at(older) + RECORD.newer] = newer;
    if (newer === 0) words[this.#anchors + ANCHOR.newest] = older;
    else words[this.at(newer) + RECORD.older] = older;
  }
}
