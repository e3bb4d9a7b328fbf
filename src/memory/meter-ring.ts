import { bitsOf, numberOf } from './float-bits.js';

/** A power of two, so that the low bits of an epoch are its bucket. */
export const METER_BUCKETS = 16;

const LINE_CELLS = 64 / BigInt64Array.BYTES_PER_ELEMENT;

/** The atomic operations of the meter. Tests replace them to control the interleaving. */
export interface MeterOperations {
  /** Reads a bucket's epoch and count together. Sequentially consistent. */
  bucket(index: number): number;

  /**
   * Replaces the bucket's epoch and count together if the bucket still holds `seen`; returns whether it did. Atomic and
   * sequentially consistent: no thread sees a new epoch with an old count, and no update is lost.
   */
  swapBucket(index: number, seen: number, next: number): boolean;
}

/** One thread's view of the meter's shared memory. Each bucket has a cache line to itself. */
export class MeterRing implements MeterOperations {
  readonly #cells: BigInt64Array;

  constructor(memory: SharedArrayBuffer) {
    this.#cells = new BigInt64Array(memory);
  }

  bucket(index: number): number {
    return numberOf(Atomics.load(this.#cells, index * LINE_CELLS));
  }

  swapBucket(index: number, seen: number, next: number): boolean {
    const expected = bitsOf(seen);
    return (
      Atomics.compareExchange(this.#cells, index * LINE_CELLS, expected, bitsOf(next)) === expected
    );
  }
}

/** Memory for one meter, every bucket with epoch 0 and count 0. */
export function createMeterMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(METER_BUCKETS * LINE_CELLS * BigInt64Array.BYTES_PER_ELEMENT);
}
