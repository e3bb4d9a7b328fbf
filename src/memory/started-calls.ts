import { bitsOf, numberOf } from './float-bits.js';

/** Concurrent calls that can be told apart: twice as many as the largest pool has. */
const CELLS = 1024;
/** A number is that of its cell, and how often the cell was in use before. It stays in the range of an Int32. */
const NUMBER_MAX = 0x7fff_ffff;

const NUMBERS_BYTES = CELLS * Int32Array.BYTES_PER_ELEMENT;
const TIMES_BYTES = CELLS * BigInt64Array.BYTES_PER_ELEMENT;

/**
 * Which calls other threads have started and when, without messages: the thread that runs a call stores its start and
 * then its number in a cell. All calls share one memory, because a SharedArrayBuffer per call would cost more than the
 * call. If more calls are made at a time than there are cells, those without a cell appear not to have started.
 */
export class StartedCalls {
  /** For the other threads. */
  readonly memory: SharedArrayBuffer;
  readonly #numbers: Int32Array;
  readonly #times: BigInt64Array;
  /** Numbers of which no call is being made, one for each cell. */
  readonly #free: number[];

  constructor(memory = new SharedArrayBuffer(NUMBERS_BYTES + TIMES_BYTES)) {
    this.memory = memory;
    this.#numbers = new Int32Array(memory, 0, CELLS);
    this.#times = new BigInt64Array(memory, NUMBERS_BYTES, CELLS);
    this.#free = Array.from({ length: CELLS }, (_, cell) => CELLS + cell).reverse();
  }

  /** The number of a new call, never 0 and not used soon after its end. Only the thread that makes all calls may use it. */
  begin(): number {
    return this.#free.pop() ?? NO_CELL;
  }

  /** The call is over, whether it has started or not. */
  end(call: number): void {
    if (call === NO_CELL) return;
    this.#free.push(call + CELLS > NUMBER_MAX ? (call % CELLS) + CELLS : call + CELLS);
  }

  /** Called by the thread that runs the call. Every later read sees it. */
  start(call: number, atNs: number): void {
    if (call === NO_CELL) return;
    Atomics.store(this.#times, call % CELLS, bitsOf(atNs));
    // After the time: a thread that sees the number sees its time too.
    Atomics.store(this.#numbers, call % CELLS, call);
  }

  has(call: number): boolean {
    return Atomics.load(this.#numbers, call % CELLS) === call;
  }

  /** When the call has started; 0 if it has not. */
  startedAtNs(call: number): number {
    return this.has(call) ? numberOf(Atomics.load(this.#times, call % CELLS)) : 0;
  }
}

/** No cell ever holds it. */
const NO_CELL = 1;
