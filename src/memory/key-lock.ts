/** Nobody holds it; somebody does; somebody does and others may sleep until it is let go. */
const FREE = 0;
const HELD = 1;
const WANTED = 2;

/** Tries before a thread goes to sleep: what the lock guards takes well under a microsecond. */
const SPINS = 100;
/** A sleep ends by itself after so long, should the one who ought to wake it have died; milliseconds. */
const SLEEP_MS = 1;
/**
 * After so long the holder is taken for dead; milliseconds. Far above what it takes even where many more threads
 * want to run than can. Counted in time and not in sleeps, because who is woken may find that another was faster.
 */
const WAIT_MS_MAX = 1000;

/** The atomic operations that the lock is built from; a test may put a stepper between. */
export interface LockOperations {
  /** Puts `next` where `seen` stands, and returns what stood there. Sequentially consistent. */
  compareSwap(cell: number, seen: number, next: number): number;
  /** Puts `next` there whatever it holds, and returns what it held. Sequentially consistent. */
  swap(cell: number, next: number): number;
  /**
   * Sleeps until woken, but not when the cell no longer holds `seen`: looking and falling asleep are one
   * step, so a `wake` that follows a change is not missed.
   */
  sleep(cell: number, seen: number, msMax: number): void;
  /** Wakes one that sleeps on the cell, if any. */
  wake(cell: number): void;
  /** A clock that never goes back. */
  nowMs(): number;
}

export class LockCells implements LockOperations {
  readonly #cells: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#cells = new Int32Array(memory);
  }

  compareSwap(cell: number, seen: number, next: number): number {
    return Atomics.compareExchange(this.#cells, cell, seen, next);
  }

  swap(cell: number, next: number): number {
    return Atomics.exchange(this.#cells, cell, next);
  }

  sleep(cell: number, seen: number, msMax: number): void {
    Atomics.wait(this.#cells, cell, seen, msMax);
  }

  wake(cell: number): void {
    Atomics.notify(this.#cells, cell, 1);
  }

  nowMs(): number {
    return performance.now();
  }
}

/**
 * A lock on one cell of shared memory: spins, then sleeps. After Drepper, "Futexes are tricky" (2011), the
 * second mutex there. What the holder wrote before `release` is seen by the next one after `acquire`.
 *
 * It never blocks for ever. A thread that dies with the lock in hand leaves what it guards half
 * written, so nobody may go on there: `acquire` then fails, after a second the first time and without
 * sleeping from then on, until the lock is found free again (its holder was only slow).
 */
export class KeyLock {
  readonly #operations: LockOperations;
  readonly #cell: number;
  readonly #spins: number;
  #isSuspect = false;

  constructor(operations: LockOperations, cell: number, spins = SPINS) {
    this.#operations = operations;
    this.#cell = cell;
    this.#spins = spins;
  }

  /** False when the lock could not be had; then it must not be released. */
  acquire(): boolean {
    for (let i = 0; i <= this.#spins; i++) {
      if (this.#operations.compareSwap(this.#cell, FREE, HELD) === FREE) {
        this.#isSuspect = false;
        return true;
      }
    }
    if (this.#isSuspect) return false;
    this.#isSuspect = !this.#acquireAsleep();
    return !this.#isSuspect;
  }

  release(): void {
    if (this.#operations.swap(this.#cell, FREE) === WANTED) this.#operations.wake(this.#cell);
  }

  #acquireAsleep(): boolean {
    const deadlineMs = this.#operations.nowMs() + WAIT_MS_MAX;
    do {
      // WANTED even where this thread gets it: others may sleep, and would not be woken by HELD.
      if (this.#operations.swap(this.#cell, WANTED) === FREE) return true;
      this.#operations.sleep(this.#cell, WANTED, SLEEP_MS);
    } while (this.#operations.nowMs() < deadlineMs);
    return false;
  }
}
