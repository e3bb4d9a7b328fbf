const LINE_BYTES = 64;
const ASLEEP = 0;
const LISTENS = 1;

/**
 * Tells writers in other threads whether their reader wants to be woken: a message wakes its thread, which costs both
 * sides, and a reader that looks by itself every few milliseconds needs none.
 *
 * Why no write goes unseen: the reader says that it listens and then looks once more; a writer writes and then asks whether
 * anybody listens. Both are sequentially consistent, so at least one of the two sees the other.
 */
export class CommitBell {
  readonly #cell: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#cell = new Int32Array(memory, LINE_BYTES, 1);
  }

  /** The cell has at least a whole line on either side to itself, wherever the allocator puts the buffer. */
  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(3 * LINE_BYTES);
  }

  /** The reader wants to hear of the next write. It must look once more after this, and then may sleep. */
  listen(): void {
    Atomics.store(this.#cell, 0, LISTENS);
  }

  /** After a write: whether the reader has to be told. True for one writer only, until it listens again. */
  mustRing(): boolean {
    // A plain read of the line first: while nobody listens, it stays in every writer's cache.
    if (Atomics.load(this.#cell, 0) !== LISTENS) return false;
    return Atomics.exchange(this.#cell, 0, ASLEEP) === LISTENS;
  }
}
