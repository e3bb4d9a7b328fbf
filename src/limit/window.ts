import {
  batchMark,
  batchSizeOf,
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
 * memory, for every interleaving. It refuses only if the window is full. Lock-free, O(1) for one admission and O(n) for n
 * at once, and without allocations that outlive the call.
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
 *
 * A batch of n takes the numbers p to p + n - 1 in one step: the swap of slot p from its stamp to a mark, which holds n. It
 * may do so if the stamp of the last of the n slots is a window old: stamps of the round before do not decrease, and no
 * number from p on can be taken before p is. Every thread that meets the mark completes the batch before it goes on, whatever
 * became of its owner: it stamps the slots behind p with one time, and then swaps the mark for the stamp. The time is that of
 * the first swap of slot p + 1: a clock reading between the mark and the end of the owner's call, so times keep the order of
 * the numbers. A completing thread reads a slot, then sees that the mark still stands, then swaps the slot. So the slot
 * cannot belong to another round, because a number is marked once only, and a mark holds its round. A batch moves the head to
 * p before its mark: then no number beyond the head + limit - 1 is taken, as without batches.
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

  get limit(): number {
    return this.#limit;
  }

  tryAdmit(): boolean {
    for (;;) {
      const seen = this.#ring.slot(this.#index);
      const stamp = stampOf(seen);
      if (stamp * this.#sign > 0) {
        this.#passTaken(seen, stamp);
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

  tryAdmitBatch(size: number): boolean {
    if (size > this.#limit) return false;
    if (size <= 1) return size < 1 || this.tryAdmit();
    for (;;) {
      const seen = this.#ring.slot(this.#index);
      const stamp = stampOf(seen);
      if (stamp * this.#sign > 0) {
        this.#passTaken(seen, stamp);
        continue;
      }
      const lastStamp = this.#lastStamp(size);
      const nowNs = this.#clock();
      if (nowNs - this.belowNs >= this.#windowNs && this.#skipToHead()) continue;
      // The last number is taken, so the first one is too by now.
      if (lastStamp * this.#signOf(size - 1) > 0) continue;
      if (lastStamp !== NEVER_TAKEN && nowNs - Math.abs(lastStamp) < this.#windowNs) return false;
      this.#ring.advanceHead(this.position);
      const mark = this.#sign * batchMark(size, Math.floor(this.position / this.#limit));
      if (!this.#ring.takeSlot(this.#index, seen, mark)) continue;
      const placed = this.#ring.slotOfBatch(this.#index);
      if (stampOf(placed) === mark) this.#completeBatch(placed, size);
      this.moveTo(this.position + size, UNKNOWN);
      this.#ring.advanceHead(this.position);
      return true;
    }
  }

  waitMs(size = 1): number {
    if (size > this.#limit) return Number.POSITIVE_INFINITY;
    for (;;) {
      const seen = this.#ring.slot(this.#index);
      const stamp = stampOf(seen);
      if (stamp * this.#sign > 0) {
        this.#passTaken(seen, stamp);
        continue;
      }
      const lastStamp = size > 1 ? this.#lastStamp(size) : stamp;
      if (this.#skipToHead() || lastStamp * this.#signOf(size - 1) > 0) continue;
      if (lastStamp === NEVER_TAKEN) return 0;
      return Math.max(0, Math.abs(lastStamp) + this.#windowNs - this.#clock()) / NS_PER_MS;
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
  #passTaken(seen: bigint, stamp: number): void {
    if (this.#skipToHead()) return;
    const size = batchSizeOf(stamp);
    if (size === 0) this.#pass(Math.abs(stamp));
    else this.#completeBatch(seen, size);
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
    if ((this.position & (this.#stride - 1)) === 0) this.#ring.advanceHead(this.position);
  }

  /** Stamps the slots of the batch whose mark is in the slot of the position, and then that slot: see above. */
  #completeBatch(mark: bigint, size: number): void {
    const first = this.#index;
    let timeNs = 0;
    for (let offset = 1; offset < size; ) {
      const index = this.#indexOf(offset);
      const sign = this.#signOf(offset);
      const seen = this.#ring.slotOfBatch(index);
      const stamp = stampOf(seen);
      if (stamp * sign > 0) {
        if (offset === 1) timeNs = Math.abs(stamp);
        offset++;
        continue;
      }
      if (offset === 1) timeNs = this.#clock();
      // After the slot was read, see above.
      if (this.#ring.slotOfBatch(first) !== mark) return;
      if (this.#ring.takeSlot(index, seen, sign * timeNs)) offset++;
    }
    this.#ring.takeSlot(first, mark, this.#sign * timeNs);
  }

  /** The stamp in the last slot of a batch that begins at the position. */
  #lastStamp(size: number): number {
    return stampOf(this.#ring.slotOfBatch(this.#indexOf(size - 1)));
  }

  /** The slot of the number at the position + `offset`, which is less than the limit. */
  #indexOf(offset: number): number {
    const index = this.#index + offset;
    return index < this.#limit ? index : index - this.#limit;
  }

  /** The sign of its stamp. */
  #signOf(offset: number): number {
    return this.#index + offset < this.#limit ? this.#sign : -this.#sign;
  }

  protected moveTo(position: number, belowNs: number): void {
    this.position = position;
    this.belowNs = belowNs;
    this.#index = position % this.#limit;
    this.#sign = Math.floor(position / this.#limit) % 2 === 0 ? 1 : -1;
  }
}
