import { bitsOf, numberOf } from './float-bits.js';

/** Limits that may be asked for. At the upper one the memory takes 8 MB. */
export const WINDOW_LIMIT_MAX = 1_000_000;

const NS_PER_MS = 1e6;
const CELL_BYTES = BigInt64Array.BYTES_PER_ELEMENT;
const LINE_CELLS = 64 / CELL_BYTES;

/**
 * Where each cell stands. The limit and the window's length are written once, before the memory is
 * shared. The head has its cache line to itself: between it and its neighbours lies at least a whole
 * line, wherever the allocator puts the buffer.
 *
 * The slots are packed, eight a line. They are not independent: at any moment all threads want the
 * same slot, so its line travels between their caches however it is laid out, and the next seven
 * admissions then find it near. A line a slot measured no faster with 2 and 4 threads, and took
 * 64 MB instead of 8 at the largest limit.
 */
const LIMIT = 0;
const WINDOW_NS = 1;
const HEAD = 2 * LINE_CELLS;
const SLOTS = HEAD + 2 * LINE_CELLS;

/** What a slot holds until it is first taken. */
export const NEVER_TAKEN = 0;

/** The atomic operations that the sliding window is built from; a test may put a stepper between. */
export interface WindowOperations {
  /** Admissions in any window. */
  readonly limit: number;
  /** Length of the window in whole nanoseconds. */
  readonly windowNs: number;

  /**
   * Reads the head: a number of admissions that have all taken place. Sequentially consistent:
   * every slot taken before the head got here is seen as taken from now on.
   */
  head(): number;

  /**
   * Moves the head from `from` to `to`, unless it is no longer at `from`; so it never goes back.
   * Sequentially consistent: whoever reads the new head sees every slot below it as taken.
   */
  advanceHead(from: number, to: number): void;

  /** Reads a slot whole, as bits for `takeSlot` and `stampOf`. Sequentially consistent. */
  slot(index: number): bigint;

  /**
   * Puts `stamp` into the slot if it still holds `seen`, and says whether it did. Reading, comparing
   * and writing are one step in the one order of all operations on the ring that every thread
   * agrees on: of several threads that saw the same bits, exactly one succeeds.
   */
  takeSlot(index: number, seen: bigint, stamp: number): boolean;
}

/** The stamp that the bits of a slot stand for, see `WindowLimiter`; `NEVER_TAKEN` at first. */
export function stampOf(bits: bigint): number {
  return numberOf(bits);
}

/** One thread's view of the shared memory of a sliding window. */
export class WindowRing implements WindowOperations {
  readonly limit: number;
  readonly windowNs: number;
  readonly #cells: BigInt64Array;

  constructor(memory: SharedArrayBuffer) {
    this.#cells = new BigInt64Array(memory);
    this.limit = numberOf(this.#cells[LIMIT]);
    this.windowNs = numberOf(this.#cells[WINDOW_NS]);
  }

  head(): number {
    return numberOf(Atomics.load(this.#cells, HEAD));
  }

  advanceHead(from: number, to: number): void {
    Atomics.compareExchange(this.#cells, HEAD, bitsOf(from), bitsOf(to));
  }

  slot(index: number): bigint {
    return Atomics.load(this.#cells, SLOTS + index);
  }

  takeSlot(index: number, seen: bigint, stamp: number): boolean {
    return Atomics.compareExchange(this.#cells, SLOTS + index, seen, bitsOf(stamp)) === seen;
  }
}

/**
 * Memory for a window of `windowMs` milliseconds (fractions are fine; rounded up to a whole
 * nanosecond) with at most `limit` admissions.
 *
 * @throws RangeError when the limit is no whole number from 1 to `WINDOW_LIMIT_MAX`, or the window
 * is not a positive, finite number.
 */
export function createWindowMemory(limit: number, windowMs: number): SharedArrayBuffer {
  if (!Number.isInteger(limit) || limit < 1 || limit > WINDOW_LIMIT_MAX) {
    throw new RangeError(`limit must be a whole number from 1 to ${WINDOW_LIMIT_MAX}: ${limit}`);
  }
  if (!(windowMs > 0) || windowMs === Number.POSITIVE_INFINITY) {
    throw new RangeError(`the window must be a positive number of milliseconds: ${windowMs}`);
  }
  const memory = new SharedArrayBuffer((SLOTS + limit) * CELL_BYTES);
  const cells = new BigInt64Array(memory);
  cells[LIMIT] = bitsOf(limit);
  cells[WINDOW_NS] = bitsOf(wholeNs(windowMs));
  return memory;
}

/** Rounded up, but for what the multiplication itself adds: 535.815675 ms are 535815675 ns, not one more. */
function wholeNs(windowMs: number): number {
  return Math.max(1, Math.ceil(Number((windowMs * NS_PER_MS).toFixed(3))));
}
