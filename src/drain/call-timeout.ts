import { StartedCalls } from '../memory/started-calls.js';

/** Interval at which running calls are checked, unless the timeout is so short that it must be smaller. */
const CHECK_MS_MAX = 1000;
const CHECKS_MIN = 4;

/** The handler did not return within its timeout, and its thread was ended. */
export class HandlerTimeout extends Error {
  override readonly name = 'HandlerTimeout';
}

interface Call {
  readonly abort: AbortController;
  /** Its number in `StartedCalls`. */
  readonly number: number;
  /** How long the handler has been running. */
  runMs: number;
  /** How long the thread has been loading the handler before the call. */
  loadMs: number;
}

/**
 * Ends calls of the handler that exceed their timeout. The pool starts calls in order, one per thread: so the oldest
 * unfinished calls are running and the others are queued.
 *
 * A new thread, for example one that replaces an ended thread, loads the handler first. Loading does not count towards the
 * timeout: otherwise, if loading takes longer than the timeout, one hanging call would end all later calls.
 *
 * Time is counted between checks, and one check adds at most two intervals: while the process was stopped or the machine
 * was suspended, the handler could not run.
 */
export class CallTimeout {
  /** Set by the threads that call the handler. */
  readonly started = new StartedCalls();
  readonly #msMax: number;
  readonly #loadMsMax: number;
  readonly #threads: number;
  readonly #checkMs: number;
  /** Oldest first. */
  readonly #calls = new Set<Call>();
  readonly #timer: NodeJS.Timeout | null = null;
  #checkedAtMs = performance.now();

  /**
   * @param msMax timeout of a call; 0 for none
   * @param loadMsMax how long a thread may take to load the handler, if longer than `msMax`
   */
  constructor(msMax: number, loadMsMax: number, threads: number) {
    this.#msMax = msMax;
    this.#loadMsMax = Math.max(msMax, loadMsMax);
    this.#threads = threads;
    this.#checkMs = Math.min(CHECK_MS_MAX, msMax / CHECKS_MIN);
    if (msMax > 0) this.#timer = setInterval(() => this.#check(), this.#checkMs).unref();
  }

  /**
   * @param start gets the call's number in `started`, and the signal that aborts the call; null without a timeout
   * @throws HandlerTimeout the call took too long; or whatever `start` throws
   */
  async within<T>(start: (number: number, signal: AbortSignal | null) => Promise<T>): Promise<T> {
    const number = this.started.begin();
    try {
      return await this.#within(number, start);
    } finally {
      this.started.end(number);
    }
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  async #within<T>(
    number: number,
    start: (number: number, signal: AbortSignal | null) => Promise<T>,
  ): Promise<T> {
    if (this.#timer === null) return start(number, null);
    const call: Call = { abort: new AbortController(), number, runMs: 0, loadMs: 0 };
    this.#calls.add(call);
    try {
      return await start(number, call.abort.signal);
    } catch (error) {
      if (!call.abort.signal.aborted) throw error;
      const what = this.started.has(number)
        ? `return within ${this.#msMax} ms`
        : `load within ${this.#loadMsMax} ms`;
      throw new HandlerTimeout(`the handler did not ${what}`);
    } finally {
      this.#calls.delete(call);
    }
  }

  #check(): void {
    const nowMs = performance.now();
    const passedMs = Math.min(nowMs - this.#checkedAtMs, 2 * this.#checkMs);
    this.#checkedAtMs = nowMs;
    let running = 0;
    for (const call of this.#calls) {
      if (++running > this.#threads) return;
      if (this.started.has(call.number)) call.runMs += passedMs;
      else call.loadMs += passedMs;
      if (call.runMs > this.#msMax || call.loadMs > this.#loadMsMax) call.abort.abort();
    }
  }
}
