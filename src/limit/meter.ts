import {
  createMeterMemory,
  METER_BUCKETS,
  type MeterOperations,
  MeterRing,
} from '../memory/meter-ring.js';
import { type Clock, monotonicNs } from './clock.js';

/** One bucket's span of time. */
const BUCKET_NS = 100e6;
const SECOND_BUCKETS = 10;
/**
 * A bucket's number is epoch * COUNT_SPAN + count, exact in a float64: 53 bits, of which 21 are the
 * count (2,097,151 a bucket, 21 million a second; it stops there) and 32 the epoch (13 years of
 * the machine's uptime).
 */
const COUNT_SPAN = 2 ** 21;

/**
 * Requests per second, counted by all threads that share the memory. A ring of buckets, each holding
 * the epoch it counts and the count in one cell: a bucket comes into a new epoch by one swap of
 * both, so a roll-over cannot be seen half done (a new epoch with the old count would show a
 * rate that never was).
 */
export class RpsMeter {
  readonly #ring: MeterOperations;
  readonly #clock: Clock;

  /** Memory for one meter, to be handed to every thread. */
  static memory(): SharedArrayBuffer {
    return createMeterMemory();
  }

  /** This thread's meter on memory that `memory` made in any thread. */
  constructor(
    memory: SharedArrayBuffer,
    clock: Clock = monotonicNs,
    ring: MeterOperations = new MeterRing(memory),
  ) {
    this.#ring = ring;
    this.#clock = clock;
  }

  /** Counts `count` requests now. Lock-free. */
  hit(count = 1): void {
    const epoch = this.#epoch();
    const index = bucketOf(epoch);
    for (;;) {
      const seen = this.#ring.bucket(index);
      const seenEpoch = epochOf(seen);
      // This thread slept through a whole turn of the ring: what it would count is out of sight.
      if (seenEpoch > epoch) return;
      const before = seenEpoch === epoch ? countOf(seen) : 0;
      const next = epoch * COUNT_SPAN + Math.min(before + count, COUNT_SPAN - 1);
      if (this.#ring.swapBucket(index, seen, next)) return;
    }
  }

  /**
   * Requests in the last full second: the ten whole buckets before the present one. Every hit in
   * them that returned before this call is counted.
   */
  perSecond(): number {
    for (;;) {
      const sum = this.#sumBefore(this.#epoch());
      if (sum >= 0) return sum;
    }
  }

  /** The sum of the second that ends where `end` begins; -1 if the ring came round meanwhile. */
  #sumBefore(end: number): number {
    let sum = 0;
    for (let epoch = Math.max(0, end - SECOND_BUCKETS); epoch < end; epoch++) {
      const seen = this.#ring.bucket(bucketOf(epoch));
      if (epochOf(seen) > epoch) return -1;
      if (epochOf(seen) === epoch) sum += countOf(seen);
    }
    return sum;
  }

  #epoch(): number {
    return Math.floor(this.#clock() / BUCKET_NS);
  }
}

function bucketOf(epoch: number): number {
  return epoch & (METER_BUCKETS - 1);
}

function epochOf(bucket: number): number {
  return Math.floor(bucket / COUNT_SPAN);
}

function countOf(bucket: number): number {
  return bucket % COUNT_SPAN;
}
