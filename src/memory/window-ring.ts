import { bitsOf, numberOf } from './float-bits.js';

/** Maximum limit. Its memory takes 8 MB. */
export const WINDOW_LIMIT_MAX = 1_000_000;

const NS_PER_MS = 1e6;
const CELL_BYTES = BigInt64Array.BYTES_PER_ELEMENT;
const LINE_CELLS = 64 / CELL_BYTES;

/**
 * Memory layout. The limit and the length of the window are written once, before the memory is shared. The head has its own
 * cache line: there is at least a whole line between it and its neighbours, wherever the allocator puts the buffer.
 *
 * The slots are packed, eight per line. At any moment all threads want the same slot, so its line moves between their
 * caches with any layout, and the next seven admissions find it cached. One line per slot was no faster with 2 and 4
 * threads, and took 64 MB instead of 8 MB at the maximum limit.
 */
const LIMIT = 0;
const WINDOW_NS = 1;
const HEAD = 2 * LINE_CELLS;
const SLOTS = HEAD + 2 * LINE_CELLS;

/** Value of a slot that was never taken. */
export const NEVER_TAKEN = 0;

/** The atomic operations of the sliding window. Tests replace them to control the interleaving. */
export interface WindowOperations {
  /** Maximum number of admissions in any window. */
  readonly limit: number;
  /** Length of the window in whole nanoseconds. */
  readonly windowNs: number;

  /**
   * Reads the head: all admissions below this number have taken place. Sequentially consistent: every slot that was taken
   * before the head moved here is seen as taken from now on.
   */
  head(): number;

  /**
   * Moves the head to `to` unless it is there or further, so that it never moves back. Sequentially consistent: a thread
   * that reads the new head sees every slot below it as taken.
   */
  advanceHead(to: number): void;

  /** Reads a slot as bits for `takeSlot` and `stampOf`. Sequentially consistent. */
  slot(index: number): bigint;

  /** The same, for what is judged together with an earlier reading: another slot of a batch, or its first slot again. */
  slotOfBatch(index: number): bigint;

  /**
   * Stores `stamp` in the slot if it still holds `seen`; returns whether it did. Atomic and sequentially consistent: of
   * several threads that saw the same bits, exactly one succeeds.
   */
  takeSlot(index: number, seen: bigint, stamp: number): boolean;
}

/** The stamp in the bits of a slot, see `WindowLimiter`; `NEVER_TAKEN` at first. */
export function stampOf(bits: bigint): number {
  return numberOf(bits);
}

/** Marks of unfinished batches begin here. In nanoseconds that is 36 years after the start of the machine. */
const MARK_MIN = 2 ** 60;
/** The distance between two float64 from `MARK_MIN` on: a mark has 52 bits. */
const MARK_STEP = 2 ** 8;
/** The low 32 bits of a mark are its round, and the 20 above them the size of the batch: see `WINDOW_LIMIT_MAX`. */
const ROUNDS = 2 ** 32;

/** What stands in the first slot of a batch until all its slots have a stamp: its size and its round. Without a sign. */
export function batchMark(size: number, round: number): number {
  return MARK_MIN + (size * ROUNDS + (round % ROUNDS)) * MARK_STEP;
}

/** The size of the batch of a mark; 0 if it is a stamp. */
export function batchSizeOf(stamp: number): number {
  const magnitude = Math.abs(stamp);
  if (magnitude < MARK_MIN) return 0;
  return Math.floor((magnitude - MARK_MIN) / MARK_STEP / ROUNDS);
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

  advanceHead(to: number): void {
    for (;;) {
      const seen = Atomics.load(this.#cells, HEAD);
      if (numberOf(seen) >= to) return;
      if (Atomics.compareExchange(this.#cells, HEAD, seen, bitsOf(to)) === seen) return;
    }
  }

  slot(index: number): bigint {
    return Atomics.load(this.#cells, SLOTS + index);
  }

  slotOfBatch(index: number): bigint {
    return Atomics.load(this.#cells, SLOTS + index);
  }

  takeSlot(index: number, seen: bigint, stamp: number): boolean {
    return Atomics.compareExchange(this.#cells, SLOTS + index, seen, bitsOf(stamp)) === seen;
  }
}

/**
 * Memory for at most `limit` admissions in a window of `windowMs` milliseconds, which can be fractional and is rounded up
 * to a whole nanosecond.
 *
 * @throws RangeError the limit is not a whole number from 1 to `WINDOW_LIMIT_MAX`, or the window is not positive and
 * finite
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

/** Rounded up, but without the error of the multiplication: 535.815675 ms are 535815675 ns, not one more. */
function wholeNs(windowMs: number): number {
  return Math.max(1, Math.ceil(Number((windowMs * NS_PER_MS).toFixed(3))));
}
