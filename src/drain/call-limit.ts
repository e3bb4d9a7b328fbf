/** Between two looks at the calls that run, where the limit is not so short that they must be closer; milliseconds. */
const LOOK_MS_MAX = 1000;
const LOOKS_MIN = 4;

/** The handler did not return in time, and its thread was ended. */
export class HandlerLate extends Error {
  override readonly name = 'HandlerLate';
}

interface Call {
  readonly end: AbortController;
  /** How long it has run. */
  ms: number;
}

/**
 * Ends calls of the handler that run for longer than they may. The pool starts them in the order in which it gets them, one a
 * thread: so the first of those that have not ended are the ones that run, and those behind them wait.
 *
 * Time is counted between looks, and no look counts for more than two: a process that was stopped, or a machine that was
 * suspended, held the handler up as well.
 */
export class CallLimit {
  readonly #msMax: number;
  readonly #threads: number;
  readonly #lookMs: number;
  /** In the order in which they came. */
  readonly #calls = new Set<Call>();
  readonly #timer: NodeJS.Timeout | null = null;
  #lookedAtMs = performance.now();

  /** @param msMax 0: a call may take as long as it likes */
  constructor(msMax: number, threads: number) {
    this.#msMax = msMax;
    this.#threads = threads;
    this.#lookMs = Math.min(LOOK_MS_MAX, msMax / LOOKS_MIN);
    if (msMax > 0) this.#timer = setInterval(() => this.#look(), this.#lookMs).unref();
  }

  /** @throws HandlerLate it took too long; or what `start` throws */
  async within<T>(start: (signal: AbortSignal | null) => Promise<T>): Promise<T> {
    if (this.#timer === null) return start(null);
    const call: Call = { end: new AbortController(), ms: 0 };
    this.#calls.add(call);
    try {
      return await start(call.end.signal);
    } catch (error) {
      if (!call.end.signal.aborted) throw error;
      throw new HandlerLate(`the handler did not return within ${this.#msMax} ms`);
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
      call.ms += passedMs;
      if (call.ms > this.#msMax) call.end.abort();
    }
  }
}
