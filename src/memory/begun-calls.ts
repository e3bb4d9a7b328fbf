/** Calls that may be under way at once and still be told apart: twice as many as the largest pool has. */
const CELLS = 1024;
const NUMBER_MASK = 0x7fff_ffff;

/**
 * Which calls have begun in other threads, without a message: the thread that runs one leaves its number in a cell. One
 * memory for all calls, since a SharedArrayBuffer for each would cost more than the call. Where more are under way than
 * there are cells, the older of two seems not to have begun.
 */
export class BegunCalls {
  /** For the other threads. */
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array;
  #last = 0;

  constructor(memory = new SharedArrayBuffer(CELLS * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#cells = new Int32Array(memory);
  }

  /** The number of a call that is to be made; only in the thread that makes them all. */
  next(): number {
    this.#last = (this.#last + 1) & NUMBER_MASK;
    return this.#last;
  }

  /** In the thread that runs it; seen by whoever asks after this. */
  begin(call: number): void {
    Atomics.store(this.#cells, call % CELLS, call);
  }

  hasBegun(call: number): boolean {
    return Atomics.load(this.#cells, call % CELLS) === call;
  }
}
