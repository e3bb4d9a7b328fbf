import { randomFillSync } from 'node:crypto';

/**
 * The memory layout of the table of idempotency keys, in 32-bit words: a header, then the stripes. A stripe has a lock, its
 * anchors, the heads of its buckets, and its records.
 */

const LINE_WORDS = 16;

/** Header: written once, before the memory is shared. */
const STRIPES = 0;
const SLOTS = 1;
const BUCKETS = 2;
/** Four words: two keys for HalfSipHash, random for each process. */
const SEEDS = 4;
/** Two float64: nanoseconds. */
const LIFE_NS = 8;
const PENDING_NS = 10;
const HEADER_WORDS = 2 * LINE_WORDS;

/** Offsets in a stripe. The lock has at least a whole cache line on either side, wherever the allocator puts the buffer. */
const LOCK = LINE_WORDS;
const ANCHORS = 3 * LINE_WORDS;
const HEADS = ANCHORS + LINE_WORDS;

/** Maximum number of stripes, and minimum of records per stripe if there are several. */
const STRIPES_MAX = 64;
const STRIPE_SLOTS_MIN = 4096;

/** A record is one line: 64 bytes. */
export const RECORD_WORDS = LINE_WORDS;

/** Word offsets of a stripe's anchors. */
export const ANCHOR = {
  /** The records that expire first and last; 0 if there is none. */
  oldest: 0,
  newest: 1,
  /** The first record in the list of freed records. */
  free: 2,
  /** Number of records that have ever been used. */
  used: 3,
  /** Number of records that hold a key. */
  live: 4,
} as const;

/** Word offsets in a record. Links are record numbers in the stripe, from 1; 0 for none. */
export const RECORD = {
  /** Four words: keyed hash of the key. */
  hash: 0,
  /** Two words. */
  digest: 4,
  /** The next record in the same bucket. */
  chain: 6,
  /** The neighbours in order of expiry. `newer` also links freed records. */
  newer: 7,
  older: 8,
  /** The state in the lowest two bits, above them the order's position in its frame. */
  state: 9,
  /** A float64, nanoseconds. */
  expiry: 10,
  /** Four words, see packed-frame-id.ts. */
  frame: 12,
} as const;

/** The dimensions and constants of one table, from its header. */
export interface KeyShape {
  readonly stripes: number;
  readonly slots: number;
  readonly buckets: number;
  readonly seeds: readonly [number, number, number, number];
  /** How long a key is kept. */
  readonly lifeNs: number;
  /** A caller that has reserved a key and not reported an outcome by then is considered dead. */
  readonly pendingNs: number;
}

export interface StripePlaces {
  readonly lock: number;
  readonly anchors: number;
  readonly heads: number;
  readonly records: number;
}

/** Memory for `keysMax` keys. @throws RangeError not enough memory */
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
