import { ANCHOR, type KeyShape, RECORD, RECORD_WORDS, type StripePlaces } from './key-layout.js';

/** Upper bound of expired records that an insertion removes: more than one, so that they do not accumulate. */
const REAPED_MAX = 4;

/**
 * The records of one stripe: a hash table with chained buckets, and a list in order of expiry. All keys have the same
 * lifetime, so a renewed record moves to the end of the list, and expired records are at its beginning. Every operation
 * takes constant time.
 *
 * Only the holder of the stripe's lock may use it. Records are identified by their number, from 1.
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
    // Record 1 is the first.
    this.#records = places.records - RECORD_WORDS;
    this.#bucketMask = shape.buckets - 1;
    this.#slots = shape.slots;
  }

  /** Index of a record's first word. */
  at(record: number): number {
    return this.#records + record * RECORD_WORDS;
  }

  expiryNs(record: number): number {
    return this.#floats[(this.at(record) + RECORD.expiry) / 2];
  }

  get live(): number {
    return this.#words[this.#anchors + ANCHOR.live];
  }

  /** The record with the hash `key[0, 4)`; 0 if there is none. It may have expired. */
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

  /** A new record with hash and digest from `key[0, 6)`; the caller sets state and frame. 0 if the stripe is full. */
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

  /** Makes the record expire at `expiryNs`, which must be after all others. */
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

  /** Removes up to `recordsMax` expired records, oldest first. */
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
