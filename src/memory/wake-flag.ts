const LINE_BYTES = 64;
const CLEAR = 0;
const SET = 1;

/**
 * Tells writers in other threads whether their reader sleeps and needs a message. A message wakes the reader's thread,
 * which costs both sides, and a reader that polls every few milliseconds does not need one.
 *
 * No write goes unseen: the reader sets the flag and then polls once more; a writer writes and then takes the flag.
 * Both operations are sequentially consistent, so at least one of the two sees the other.
 */
export class WakeFlag {
  readonly #cell: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#cell = new Int32Array(memory, LINE_BYTES, 1);
  }

  /** The cell has at least a whole cache line to itself on either side, wherever the allocator puts the buffer. */
  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(3 * LINE_BYTES);
  }

  /** The reader asks to be woken by the next write. It must poll once more after this before it sleeps. */
  set(): void {
    Atomics.store(this.#cell, 0, SET);
  }

  /** Called after a write: whether the writer must wake the reader. True for one writer only, until the flag is set again. */
  take(): boolean {
    // A plain read first: while the flag is clear, its cache line stays shared by all writers.
    if (Atomics.load(this.#cell, 0) !== SET) return false;
    return Atomics.exchange(this.#cell, 0, CLEAR) === SET;
  }
}
