import {
  createMeterMemory,
  METER_BUCKETS,
  type MeterOperations,
  MeterRing,
} from '../memory/meter-ring.js';
import { type Clock, monotonicNs } from './clock.js';

/** Duration of one bucket. */
const BUCKET_NS = 100e6;
const SECOND_BUCKETS = 10;
/**
 * A bucket holds epoch * COUNT_SPAN + count, exact in a float64: of 53 bits, 21 are the count (up to 2,097,151 per bucket,
 * 21 million per second, where it stops) and 32 the epoch (13 years of uptime).
 */
const COUNT_SPAN = 2 ** 21;

/**
 * Requests per second, counted by all threads that share the memory. A ring of buckets, each with its epoch and count in
 * one cell. A bucket moves to a new epoch by one swap of both, so that no thread sees a new epoch with the old count.
 */
export class RpsMeter {
  readonly #ring: MeterOperations;
  readonly #clock: Clock;

  /** Memory for one meter, to be shared by all threads. */
  static memory(): SharedArrayBuffer {
    return createMeterMemory();
  }

  /** This thread's view of a meter. @param memory made by `RpsMeter.memory` in any thread */
  constructor(
    memory: SharedArrayBuffer,
    clock: Clock = monotonicNs,
    ring: MeterOperations = new MeterRing(memory),
  ) {
    this.#ring = ring;
    this.#clock = clock;
  }

  /** Counts `count` requests at the current time. Lock-free. */
  hit(count = 1): void {
    const epoch = this.#epoch();
    const index = bucketOf(epoch);
    for (;;) {
      const seen = this.#ring.bucket(index);
      const seenEpoch = epochOf(seen);
      // This thread was suspended for a whole turn of the ring, so its requests are no longer in the last second.
      if (seenEpoch > epoch) return;
      const before = seenEpoch === epoch ? countOf(seen) : 0;
      const next = epoch * COUNT_SPAN + Math.min(before + count, COUNT_SPAN - 1);
      if (this.#ring.swapBucket(index, seen, next)) return;
    }
  }

  /**
   * Requests in the last full second: the ten complete buckets before the current one. It includes every `hit` in them
   * that returned before this call.
   */
  perSecond(): number {
    for (;;) {
      const sum = this.#sumBefore(this.#epoch());
      if (sum >= 0) return sum;
    }
  }

  /** The sum of the second before epoch `end`; -1 if a bucket was reused meanwhile. */
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
