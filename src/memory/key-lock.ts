/** Unlocked; locked; locked, and other threads may sleep until it is released. */
const FREE = 0;
const LOCKED = 1;
const CONTENDED = 2;

/** Attempts before a thread sleeps. The critical sections take well under a microsecond. */
const SPINS = 100;
/** Timeout of a sleep, in case the thread that should wake it has died. */
const SLEEP_MS = 1;
/**
 * After this time the holder is considered dead. It is far longer than a critical section takes even on an overloaded
 * machine. Time is measured, not only the number of sleeps, because another thread can take the lock before a woken one.
 */
const WAIT_MS_MAX = 1000;
/**
 * What one sleep counts for at most: while the process is stopped, or the machine stalls, the holder does not run either. So a
 * holder is waited for at least 100 times, which can take longer than a second.
 */
const SLEEP_COUNTED_MS_MAX = 10;

/** The atomic operations of the lock. Tests replace them to control the interleaving. */
export interface LockOperations {
  /** Replaces `seen` by `next` and returns the previous value. Sequentially consistent. */
  compareSwap(cell: number, seen: number, next: number): number;
  /** Stores `next` and returns the previous value. Sequentially consistent. */
  swap(cell: number, next: number): number;
  /**
   * Sleeps until woken, unless the cell no longer holds `seen`. Check and sleep are one atomic step, so a `wake` after a
   * change is not missed.
   */
  sleep(cell: number, seen: number, msMax: number): void;
  /** Wakes one thread that sleeps on the cell, if any. */
  wake(cell: number): void;
  /** A monotonic clock. */
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
 * A mutex in one cell of shared memory: it spins, then sleeps. Source: Drepper, "Futexes are tricky" (2011), the second
 * mutex. All writes before `release` are visible to the next holder after `acquire`.
 *
 * It never blocks forever. If a thread dies while it holds the lock, the guarded data can be inconsistent and must not be
 * used. Then `acquire` fails: the first time after about a second, or after 100 sleeps if they take longer; later without
 * sleeping, until the lock is found free again because its holder was only slow.
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

  /** False if the lock was not acquired; then it must not be released. */
  acquire(): boolean {
    for (let i = 0; i <= this.#spins; i++) {
      if (this.#operations.compareSwap(this.#cell, FREE, LOCKED) === FREE) {
        this.#isSuspect = false;
        return true;
      }
    }
    if (this.#isSuspect) return false;
    this.#isSuspect = !this.#acquireSleeping();
    return !this.#isSuspect;
  }

  release(): void {
    if (this.#operations.swap(this.#cell, FREE) === CONTENDED) this.#operations.wake(this.#cell);
  }

  #acquireSleeping(): boolean {
    let waitedMs = 0;
    let lastMs = this.#operations.nowMs();
    do {
      // CONTENDED even if this thread gets the lock: others may sleep, and with LOCKED `release` would not wake them.
      if (this.#operations.swap(this.#cell, CONTENDED) === FREE) return true;
      this.#operations.sleep(this.#cell, CONTENDED, SLEEP_MS);
      const nowMs = this.#operations.nowMs();
      waitedMs += Math.min(nowMs - lastMs, SLEEP_COUNTED_MS_MAX);
      lastMs = nowMs;
    } while (waitedMs < WAIT_MS_MAX);
    return false;
  }
}
