/** Concurrent calls that can be told apart: twice as many as the largest pool has. */
const CELLS = 1024;
const NUMBER_MAX = 0x7fff_ffff;

/**
 * Which calls other threads have started, without messages: the thread that runs a call stores the call's number in a
 * cell. All calls share one memory, because a SharedArrayBuffer per call would cost more than the call. With more
 * concurrent calls than cells, the older of two calls appears not to have started.
 */
export class StartedCalls {
  /** For the other threads. */
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array;
  #last = 0;

  constructor(memory = new SharedArrayBuffer(CELLS * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#cells = new Int32Array(memory);
  }

  /** The number for a new call, never 0. Only the thread that makes all calls may use it. */
  next(): number {
    this.#last = (this.#last % NUMBER_MAX) + 1;
    return this.#last;
  }

  /** Called by the thread that runs the call. Every later `has` in any thread sees it. */
  start(call: number): void {
    Atomics.store(this.#cells, call % CELLS, call);
  }

  has(call: number): boolean {
    return Atomics.load(this.#cells, call % CELLS) === call;
  }
}
