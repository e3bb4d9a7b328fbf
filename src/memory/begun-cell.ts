const BEGUN = 1;

/** Tells the thread that has made a call of another one whether that has begun with it, without a message. */
export class BegunCell {
  readonly #cell: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#cell = new Int32Array(memory);
  }

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  }

  /** Seen by whoever reads it after this. */
  begin(): void {
    Atomics.store(this.#cell, 0, BEGUN);
  }

  get hasBegun(): boolean {
    return Atomics.load(this.#cell, 0) === BEGUN;
  }
}
