import {
  createWindowMemory,
  NEVER_TAKEN,
  stampOf,
  type WindowOperations,
  WindowRing,
} from '../memory/window-ring.js';
import type { Limiter } from '../model/stages.js';
import { type Clock, monotonicNs } from './clock.js';

const NS_PER_MS = 1e6;
const WINDOW_MS_DEFAULT = 1000;
/** Upper bound of the admissions between two moves of the shared head. A power of two. */
const HEAD_STRIDE_MAX = 16;
/** Earlier than any window. */
const UNKNOWN = Number.NEGATIVE_INFINITY;

/**
 * An exact sliding-window limiter: at most `limit` admissions in ANY window of time, across all threads that share the
 * memory, for every interleaving. It refuses only if the window is full. Lock-free, O(1), and without allocations that
 * outlive the call.
 *
 * The memory is a ring of `limit` slots. Admission number k (0, 1, 2, ...) takes slot k mod limit by swapping the slot's
 * stamp. A stamp is the time of the admission in nanoseconds; its sign is the parity of the round (plus in rounds 0, 2,
 * ...). So a slot shows whether it was taken in this round or in the one before. Without the sign, a full window could not
 * be told from a head that lags.
 *
 * Why never more than `limit`: a slot is swapped only if its stamp is at least a window old, and the swap fails if the slot
 * has changed meanwhile. So two admissions in one slot are a window apart, and limit + 1 admissions in one window would
 * need two of them in one slot. A swap cannot confuse two stamps, because the stamps of a slot never repeat.
 *
 * The time of an admission is the clock reading inside its call, AFTER all lower numbers were seen as taken. Those
 * admissions had read the clock before, so times never decrease with the numbers, and a refused call has `limit` admissions
 * in the window before it. A thread that is preempted between clock and swap does no harm: if another thread was faster,
 * its swap fails.
 *
 * Why one parity bit is enough: each thread keeps the lowest number that it has not seen as taken (its position), and reads
 * first the slot there, then the head. The head moves in strides of at most `limit`, and a thread moves it before it takes
 * a number beyond the next stride. So if the head is not past the position, the slot has been taken at most once since
 * the round before.
 *
 * The head need not be read if the number below the position was taken less than a window ago, by a clock read after the
 * slot. The number at the position is taken no earlier than the number below it. One round later its slot is taken again,
 * at least a window after that, by a thread that has not read the clock yet.
 *
 * Stamps do not wrap, see `monotonicNs`. A slot that was not used for years is simply old.
 */
export class WindowLimiter implements Limiter {
  /** The lowest admission number that this thread has not seen as taken. */
  protected position = 0;
  /** When the number below `position` was taken, by its stamp. UNKNOWN at first and after a move to the head. */
  protected belowNs = UNKNOWN;
  /** The slot of `position`, and the sign of its next stamp. */
  #index = 0;
  #sign = 1;
  readonly #ring: WindowOperations;
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #windowNs: number;
  readonly #stride: number;

  /** Memory for one limiter, to be shared by all threads. See `createWindowMemory` for the ranges. */
  static memory(limit: number, windowMs: number = WINDOW_MS_DEFAULT): SharedArrayBuffer {
    return createWindowMemory(limit, windowMs);
  }

  /** This thread's view of a limiter. @param memory made by `WindowLimiter.memory` in any thread */
  constructor(
    memory: SharedArrayBuffer,
    clock: Clock = monotonicNs,
    ring: WindowOperations = new WindowRing(memory),
  ) {
    this.#ring = ring;
    this.#clock = clock;
    this.#limit = ring.limit;
    this.#windowNs = ring.windowNs;
    this.#stride = Math.min(HEAD_STRIDE_MAX, 2 ** Math.floor(Math.log2(ring.limit)));
  }

  tryAdmit(): boolean {
    for (;;) {
      const seen = this.#ring.slot(this.#index);
      const stamp = stampOf(seen);
      if (stamp * this.#sign > 0) {
        this.#passTaken(stamp);
        continue;
      }
      // After the lower numbers were seen as taken, so that times have the order of the numbers; and after the slot was
      // read, see above.
      const nowNs = this.#clock();
      if (nowNs - this.belowNs >= this.#windowNs && this.#skipToHead()) continue;
      if (stamp !== NEVER_TAKEN && nowNs - Math.abs(stamp) < this.#windowNs) return false;
      if (this.#ring.takeSlot(this.#index, seen, this.#sign * nowNs)) {
        this.#pass(nowNs);
        return true;
      }
    }
  }

  waitMs(): number {
    for (;;) {
      const stamp = stampOf(this.#ring.slot(this.#index));
      if (stamp * this.#sign > 0) {
        this.#passTaken(stamp);
        continue;
      }
      if (this.#skipToHead()) continue;
      if (stamp === NEVER_TAKEN) return 0;
      return Math.max(0, Math.abs(stamp) + this.#windowNs - this.#clock()) / NS_PER_MS;
    }
  }

  /**
   * Moves to the head if it is past the position; returns whether it was. Must be called after the slot was read: a slot
   * that is read after the head could be two rounds ahead, with the same parity.
   */
  #skipToHead(): boolean {
    const head = this.#ring.head();
    if (head <= this.position) return false;
    this.moveTo(head, UNKNOWN);
    return true;
  }

  /** The slot shows that its number was taken, in this round or in a later one. */
  #passTaken(stamp: number): void {
    if (!this.#skipToHead()) this.#pass(Math.abs(stamp));
  }

  /** Moves past a taken number. At the edge of a stride it also moves the shared head. */
  #pass(takenNs: number): void {
    this.belowNs = takenNs;
    this.position += 1;
    this.#index += 1;
    if (this.#index === this.#limit) {
      this.#index = 0;
      this.#sign = -this.#sign;
    }
    if ((this.position & (this.#stride - 1)) === 0) {
      this.#ring.advanceHead(this.position - this.#stride, this.position);
    }
  }

  protected moveTo(position: number, belowNs: number): void {
    this.position = position;
    this.belowNs = belowNs;
    this.#index = position % this.#limit;
    this.#sign = Math.floor(position / this.#limit) % 2 === 0 ? 1 : -1;
  }
}
