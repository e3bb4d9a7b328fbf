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
/** At most so many admissions between two moves of the shared head. A power of two. */
const HEAD_STRIDE_MAX = 16;
/** Longer ago than any window. */
const NOT_KNOWN = Number.NEGATIVE_INFINITY;

/**
 * At most `limit` admissions in ANY window of time, across all threads that share the memory, for
 * every interleaving; and a refusal only when the window is full. Lock-free, O(1), no allocation that
 * outlives the call.
 *
 * A ring of `limit` slots. Admission number k (0, 1, 2, ...) takes slot k mod limit, by swapping its
 * stamp: the time of the admission in nanoseconds, with the round's parity as its sign (plus in
 * rounds 0, 2, ...). So a slot shows whether it was taken in this round or the one before: without
 * that, a full window and a head that lags look alike.
 *
 * Why never more than `limit`: a slot is swapped only at least a window after the stamp it held, and
 * the swap fails if the slot changed meanwhile; so two admissions in one slot are a window apart,
 * and limit + 1 admissions inside one window would put two in one slot. A swap cannot mistake a
 * later stamp for the one it saw, since the stamps of a slot never repeat.
 *
 * What counts as the time of an admission is the clock reading taken inside its call, AFTER all
 * lower numbers were seen taken. Hence they had read the clock before, times never decrease along the
 * numbers, and a refused call has `limit` admissions inside the window before it. A thread that is
 * preempted between clock and swap is harmless: its swap fails if it was overtaken.
 *
 * Why one parity bit is enough: each thread keeps the lowest number it has not seen taken (its
 * position), reads the slot there first and the head second. The head moves in strides of at most
 * `limit`, and before anyone takes a number beyond the next stride it is moved there. So with the
 * head not past the position, the slot had been taken at most once since the round before.
 *
 * Nor is the head needed while the number below the position was taken less than a window ago, by a
 * clock read after the slot. For the position itself is taken no earlier than the number below it, and one round on its
 * slot is taken again at least a window later: by someone who has not even read the clock yet.
 *
 * Stamps do not wrap, see `monotonicNs`; a slot untouched for years is simply old.
 */
export class WindowLimiter implements Limiter {
  /** The lowest admission number that this thread has not seen taken. */
  protected position = 0;
  /** When the number below `position` was taken, as its stamp says; that it is not known, at first and after a leap. */
  protected belowNs = NOT_KNOWN;
  /** The slot of `position`, and the sign its stamp will have. */
  #index = 0;
  #sign = 1;
  readonly #ring: WindowOperations;
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #windowNs: number;
  readonly #stride: number;

  /** Memory for one limiter, to be handed to every thread. See `createWindowMemory` for the ranges. */
  static memory(limit: number, windowMs: number = WINDOW_MS_DEFAULT): SharedArrayBuffer {
    return createWindowMemory(limit, windowMs);
  }

  /** This thread's limiter on memory that `memory` made in any thread. */
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
      // Not before the lower numbers were seen taken: so times keep the order of the numbers. And
      // not before the slot was read, see above.
      const nowNs = this.#clock();
      if (nowNs - this.belowNs >= this.#windowNs && this.#leap()) continue;
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
      if (this.#leap()) continue;
      if (stamp === NEVER_TAKEN) return 0;
      return Math.max(0, Math.abs(stamp) + this.#windowNs - this.#clock()) / NS_PER_MS;
    }
  }

  /**
   * Goes on to the head if it is past the position, and says whether it was. To be called after the
   * slot was read: before, the slot could then be two rounds on, with the same parity.
   */
  #leap(): boolean {
    const head = this.#ring.head();
    if (head <= this.position) return false;
    this.moveTo(head, NOT_KNOWN);
    return true;
  }

  /** The slot shows that its number is taken, in this round or in a later one. */
  #passTaken(stamp: number): void {
    if (!this.#leap()) this.#pass(Math.abs(stamp));
  }

  /** Steps over a number that is taken; on the edge of a stride, moves the head that far first. */
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
