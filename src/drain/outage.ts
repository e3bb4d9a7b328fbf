import type { Log } from '../model/log.js';
import { type BackoffBounds, backoffMs } from './backoff.js';

/** Leave to run a batch. Given back by `through` or `away`, once. */
export interface Turn {
  /** It finds out, alone, whether the outage is over. */
  readonly isProbe: boolean;
  /** It had to wait, so its orders count towards the pace again. */
  readonly hasWaited: boolean;
}

const AT_ONCE: Turn = { isProbe: false, hasWaited: false };

export interface OutageParts {
  /** Whether batches wait for the end of an outage; otherwise they get no turn while it lasts. */
  readonly canWait: boolean;
  readonly log: Log;
}

/**
 * Holds all batches back while no handler can do its work: its database is away, say, or its module
 * cannot be loaded. After a pause, which grows, one batch is let through as the probe. The number of waiters
 * is that of the batches under way, a few for each pool thread.
 */
export class Outage {
  readonly #parts: OutageParts;
  /** Empty while there is none. */
  #why = '';
  #sinceMs = 0;
  #probes = 0;
  #isProbing = false;
  /** Whether the pause is over. */
  #isDue = false;
  #timer: NodeJS.Timeout | null = null;
  #waiters: (() => void)[] = [];
  #stopped = false;
  #logged = '';

  constructor(parts: OutageParts) {
    this.#parts = parts;
  }

  /**
   * Why nothing is processed, in one line; empty while it is. Where nobody is there to find out whether it
   * is over, it ends with the pause: who asks whether to send orders would hear no for ever.
   */
  get reason(): string {
    const isForgotten = this.#isDue && !this.#isProbing && this.#waiters.length === 0;
    return isForgotten ? '' : this.#why;
  }

  /** Waits until a batch may be run. Null when it is to be given back unrun. */
  async turn(): Promise<Turn | null> {
    let hasWaited = false;
    while (this.#why !== '' && !this.#stopped) {
      if (this.#isDue && !this.#isProbing) {
        this.#isProbing = true;
        return { isProbe: true, hasWaited };
      }
      if (!this.#parts.canWait) return null;
      hasWaited = true;
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
    if (this.#why !== '') return null;
    return hasWaited ? { isProbe: false, hasWaited } : AT_ONCE;
  }

  /** The handler did its work, or failed by itself. */
  through(turn: Turn): void {
    if (!turn.isProbe) return;
    if (this.#logged !== '') {
      const seconds = ((performance.now() - this.#sinceMs) / 1000).toFixed(1);
      this.#parts.log('handler-back', `the handler goes on, after ${seconds} s`);
    }
    this.#why = '';
    this.#logged = '';
    this.#probes = 0;
    this.#isProbing = false;
    this.#wake();
  }

  /** The handler could not work. `turn` is null where no batch was concerned. */
  away(turn: Turn | null, why: string, pause: BackoffBounds): void {
    // Others that were under way when the outage began learn of it one after the other.
    if (this.#why !== '' && turn?.isProbe !== true) return;
    if (this.#why === '') this.#sinceMs = performance.now();
    this.#why = why;
    this.#isProbing = false;
    this.#probes++;
    this.#isDue = false;
    if (!this.#stopped) this.#timer = setTimeout(this.#onDue, backoffMs(this.#probes, pause));
    if (why !== this.#logged) {
      this.#logged = why;
      this.#parts.log('handler-away', `${why}; trying on`);
    }
  }

  /** Gives no turn any more that would have to wait. */
  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#wake();
  }

  readonly #onDue = (): void => {
    this.#isDue = true;
    this.#wake();
  };

  readonly #wake = (): void => {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  };
}
