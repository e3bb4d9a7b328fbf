import { type BackoffBounds, backoffMs } from '../model/backoff.js';
import type { Log } from '../model/log.js';

/** Permission to run a batch. The holder calls `end`, `begin` or `giveBack` once. */
export interface Permit {
  /** True for the probe, which runs alone to find out whether the outage is over. */
  readonly isProbe: boolean;
}

const PROBE: Permit = { isProbe: true };
const NO_PROBE: Permit = { isProbe: false };

export interface OutageParts {
  /** Whether batches wait for the end of an outage. Otherwise they get no permit during an outage. */
  readonly canWait: boolean;
  readonly log: Log;
}

/**
 * A circuit breaker: holds all batches back while the handler cannot work, for example because its database is
 * unreachable or its module cannot be loaded. After a pause, which grows, one batch runs as a probe. Waiting batches are
 * bounded by the scheduler, to a few per pool thread.
 */
export class Outage {
  readonly #parts: OutageParts;
  /** Empty without an outage. */
  #reason = '';
  #sinceMs = 0;
  #probes = 0;
  #isProbing = false;
  /** Whether the pause is over and a probe may run. */
  #isDue = false;
  /** When it is over, on the clock of `performance.now()`. */
  #dueMs = 0;
  #timer: NodeJS.Timeout | null = null;
  #waiters: (() => void)[] = [];
  #stopped = false;
  #logged = '';

  constructor(parts: OutageParts) {
    this.#parts = parts;
  }

  /**
   * Why orders are not processed, in one line; empty if they are. If no batch is waiting that could be the probe, the
   * reason is cleared with the pause. Otherwise a load balancer that asks before it sends orders would never send any.
   */
  get reason(): string {
    const isOver = this.#isDue && !this.#isProbing && this.#waiters.length === 0;
    return isOver ? '' : this.#reason;
  }

  /** Whether `acquire` may have to wait. */
  get isOn(): boolean {
    return this.#reason !== '';
  }

  /** Waits until a batch may run. Null if the batch must be returned without running. */
  async acquire(): Promise<Permit | null> {
    while (this.#reason !== '' && !this.#stopped) {
      if (this.#isDue && !this.#isProbing) {
        this.#isProbing = true;
        return PROBE;
      }
      if (!this.#parts.canWait) return null;
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
    return this.#reason === '' ? NO_PROBE : null;
  }

  /** The handler ran, successfully or not: there is no outage. */
  end(permit: Permit): void {
    if (!permit.isProbe) return;
    if (this.#logged !== '') {
      const seconds = ((performance.now() - this.#sinceMs) / 1000).toFixed(1);
      this.#parts.log('handler-back', `the handler works again after ${seconds} s`);
    }
    this.#reason = '';
    this.#logged = '';
    this.#probes = 0;
    this.#isProbing = false;
    this.#wake();
  }

  /** No call was made: another batch can be the probe. */
  giveBack(permit: Permit): void {
    if (!permit.isProbe) return;
    this.#isProbing = false;
    this.#wake();
  }

  /**
   * The handler could not work. `permit` is null outside a batch.
   *
   * @param afterMs how long the handler asks to wait, at least the shortest pause; null for a pause that grows
   */
  begin(
    permit: Permit | null,
    reason: string,
    pause: BackoffBounds,
    afterMs: number | null = null,
  ): void {
    const waitMs =
      afterMs === null ? backoffMs(this.#probes + 1, pause) : Math.max(afterMs, pause.retryMsMin);
    // Batches that were running when the outage began report it one after the other. One of them may ask for longer.
    if (this.#reason !== '' && permit?.isProbe !== true) {
      if (afterMs !== null) this.#waitUntil(performance.now() + waitMs);
      return;
    }
    if (this.#reason === '') this.#sinceMs = performance.now();
    this.#reason = reason;
    this.#isProbing = false;
    this.#probes++;
    this.#dueMs = 0;
    this.#waitUntil(performance.now() + waitMs);
    if (reason !== this.#logged) {
      this.#logged = reason;
      const next = afterMs === null ? 'retrying' : `retrying in ${(waitMs / 1000).toFixed(1)} s`;
      this.#parts.log('handler-away', `${reason}; ${next}`);
    }
  }

  /** Ends the pause then, unless it ends later. While a probe runs, the probe decides. */
  #waitUntil(dueMs: number): void {
    if (this.#stopped || this.#isProbing || dueMs <= this.#dueMs) return;
    this.#dueMs = dueMs;
    this.#isDue = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#onDue, dueMs - performance.now());
  }

  /** From now on, no batch waits: those that would have to get no permit. */
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
