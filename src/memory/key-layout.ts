import { randomFillSync } from 'node:crypto';

/**
 * How the table of idempotency keys lies in its memory, in 32-bit words: a header, then the stripes. A
 * stripe has its lock, its anchors, the heads of its buckets, and its records.
 */

const LINE_WORDS = 16;

/** Header: written once, before the memory is shared. */
const STRIPES = 0;
const SLOTS = 1;
const BUCKETS = 2;
/** Four words: two keys for HalfSipHash, drawn anew for each process. */
const SEEDS = 4;
/** Two float64: nanoseconds. */
const LIFE_NS = 8;
const PENDING_NS = 10;
const HEADER_WORDS = 2 * LINE_WORDS;

/**
 * Within a stripe. The lock has at least a whole line on either side to itself, wherever the allocator
 * puts the buffer.
 */
const LOCK = LINE_WORDS;
const ANCHORS = 3 * LINE_WORDS;
const HEADS = ANCHORS + LINE_WORDS;

/** Most stripes, and the least records in one while there are several. */
const STRIPES_MAX = 64;
const STRIPE_SLOTS_MIN = 4096;

/** A record is one line: 64 bytes. */
export const RECORD_WORDS = LINE_WORDS;

/** Word offsets of a stripe's anchors. */
export const ANCHOR = {
  /** The record that expires first, and last; 0 when there is none. */
  oldest: 0,
  newest: 1,
  /** The first of the records that were used and are free again. */
  free: 2,
  /** Records that have ever been used. */
  used: 3,
  /** Records that hold a key. */
  live: 4,
} as const;

/** Word offsets in a record. Links are record numbers within the stripe, from 1; 0 is none. */
export const RECORD = {
  /** Four words, keyed hash of the key. */
  hash: 0,
  /** Two words. */
  digest: 4,
  /** The next record of the same bucket. */
  chain: 6,
  /** The neighbours in the order of expiry. `newer` also links free records. */
  newer: 7,
  older: 8,
  /** Two bits of state, above them the order's position in its frame. */
  state: 9,
  /** A float64, nanoseconds. */
  expiry: 10,
  /** Four words, see packed-frame-id.ts. */
  frame: 12,
} as const;

/** Where things lie in one memory. */
export interface KeyShape {
  readonly stripes: number;
  readonly slots: number;
  readonly buckets: number;
  readonly seeds: readonly [number, number, number, number];
  /** How long a key is remembered. */
  readonly lifeNs: number;
  /** After this, whoever reserved a key and has not said what became of it is taken for dead. */
  readonly pendingNs: number;
}

export interface StripePlaces {
  readonly lock: number;
  readonly anchors: number;
  readonly heads: number;
  readonly records: number;
}

/** Memory for `keysMax` keys. @throws RangeError when there is not so much memory */
export function createKeyMemory(
  keysMax: number,
  lifeNs: number,
  pendingNs: number,
): SharedArrayBuffer {
  let stripes = 1;
  while (stripes < STRIPES_MAX && keysMax / (2 * stripes) >= STRIPE_SLOTS_MIN) stripes *= 2;
  const slots = Math.ceil(keysMax / stripes);
  const buckets = Math.max(LINE_WORDS, 2 ** Math.ceil(Math.log2(slots)));
  const words = HEADER_WORDS + stripes * stripeWords(slots, buckets);
  const memory = new SharedArrayBuffer(words * Int32Array.BYTES_PER_ELEMENT);
  const header = new Int32Array(memory, 0, HEADER_WORDS);
  header[STRIPES] = stripes;
  header[SLOTS] = slots;
  header[BUCKETS] = buckets;
  header.set(randomFillSync(new Int32Array(4)), SEEDS);
  const floats = new Float64Array(memory, 0, HEADER_WORDS / 2);
  floats[LIFE_NS / 2] = lifeNs;
  floats[PENDING_NS / 2] = pendingNs;
  return memory;
}

export function shapeOf(memory: SharedArrayBuffer): KeyShape {
  const header = new Int32Array(memory, 0, HEADER_WORDS);
  const floats = new Float64Array(memory, 0, HEADER_WORDS / 2);
  return {
    stripes: header[STRIPES],
    slots: header[SLOTS],
    buckets: header[BUCKETS],
    seeds: [header[SEEDS], header[SEEDS + 1], header[SEEDS + 2], header[SEEDS + 3]],
    lifeNs: floats[LIFE_NS / 2],
    pendingNs: floats[PENDING_NS / 2],
  };
}

export function stripePlaces({ slots, buckets }: KeyShape, stripe: number): StripePlaces {
  const base = HEADER_WORDS + stripe * stripeWords(slots, buckets);
  return {
    lock: base + LOCK,
    anchors: base + ANCHORS,
    heads: base + HEADS,
    records: base + HEADS + buckets,
  };
}

function stripeWords(slots: number, buckets: number): number {
  return HEADS + buckets + slots * RECORD_WORDS;
}
