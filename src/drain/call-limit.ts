import { BegunCalls } from '../memory/begun-calls.js';

/** Between two looks at the calls that run, where the limit is not so short that they must be closer; milliseconds. */
const LOOK_MS_MAX = 1000;
const LOOKS_MIN = 4;

/** The handler did not return in time, and its thread was ended. */
export class HandlerLate extends Error {
  override readonly name = 'HandlerLate';
}

interface Call {
  readonly end: AbortController;
  /** Among `BegunCalls`. */
  readonly number: number;
  /** How long the handler has run. */
  ms: number;
  /** How long its thread has loaded the handler before. */
  loadMs: number;
}

/**
 * Ends calls of the handler that run for longer than they may. The pool starts them in the order in which it gets them, one a
 * thread: so the first of those that have not ended are the ones that run, and those behind them wait.
 *
 * A thread that is new, in the place of one that was ended say, loads the handler first, which does not count: else, where that takes
 * longer than a call may, one call that hangs would be the end of all that come after it.
 *
 * Time is counted between looks, and no look counts for more than two: a process that was stopped, or a machine that was
 * suspended, held the handler up as well.
 */
export class CallLimit {
  /** Set by whoever calls the handler. */
  readonly begun = new BegunCalls();
  readonly #msMax: number;
  readonly #loadMsMax: number;
  readonly #threads: number;
  readonly #lookMs: number;
  /** In the order in which they came. */
  readonly #calls = new Set<Call>();
  readonly #timer: NodeJS.Timeout | null = null;
  #lookedAtMs = performance.now();

  /**
   * @param msMax 0: a call may take as long as it likes
   * @param loadMsMax how long a thread may take to load the handler, where `msMax` is not longer
   */
  constructor(msMax: number, loadMsMax: number, threads: number) {
    this.#msMax = msMax;
    this.#loadMsMax = Math.max(msMax, loadMsMax);
    this.#threads = threads;
    this.#lookMs = Math.min(LOOK_MS_MAX, msMax / LOOKS_MIN);
    if (msMax > 0) this.#timer = setInterval(() => this.#look(), this.#lookMs).unref();
  }

  /**
   * @param start is given the number of the call among `begun`, and what ends the call: null without a limit
   * @throws HandlerLate it took too long; or what `start` throws
   */
  async within<T>(start: (number: number, signal: AbortSignal | null) => Promise<T>): Promise<T> {
    const number = this.begun.next();
    if (this.#timer === null) return start(number, null);
    const call: Call = { end: new AbortController(), number, ms: 0, loadMs: 0 };
    this.#calls.add(call);
    try {
      return await start(number, call.end.signal);
    } catch (error) {
      if (!call.end.signal.aborted) throw error;
      const what = this.begun.hasBegun(number)
        ? `return within ${this.#msMax} ms`
        : `load within ${this.#loadMsMax} ms`;
      throw new HandlerLate(`the handler did not ${what}`);
    } finally {
      this.#calls.delete(call);
    }
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  #look(): void {
    const nowMs = performance.now();
    const passedMs = Math.min(nowMs - this.#lookedAtMs, 2 * this.#lookMs);
    this.#lookedAtMs = nowMs;
    let running = 0;
    for (const call of this.#calls) {
      if (++running > this.#threads) return;
      if (this.begun.hasBegun(call.number)) call.ms += passedMs;
      else call.loadMs += passedMs;
      if (call.ms > this.#msMax || call.loadMs > this.#loadMsMax) call.end.abort();
    }
  }
}
