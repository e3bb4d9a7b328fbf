import type { ReasonCounts } from '../metrics/count.js';
import type { DeadLetter } from '../model/journal.js';
import type { Log } from '../model/log.js';
import type { Failure } from '../model/pool-messages.js';

/** Dead letters with a line of their own, within `SUM_MS`. Of the others there is one line for each reason. */
const LINES_MAX = 20;
const SUM_MS = 10_000;

/** A dead letter, with why its order failed. */
export interface DeadOrder extends DeadLetter {
  readonly attempts: number;
  readonly failure: Failure;
}

interface Unlogged {
  orders: number;
  /** The latest of them. */
  order: string;
  shown: string;
}

/** Counts why orders fail, and logs each dead letter, in a bounded number of lines. */
export class FailureReport {
  readonly #reasons: ReasonCounts;
  readonly #log: Log;
  #lines = 0;
  #timer: NodeJS.Timeout | null = null;
  /** By the label of their reason. */
  readonly #unlogged = new Map<string, Unlogged>();

  constructor(reasons: ReasonCounts, log: Log) {
    this.#reasons = reasons;
    this.#log = log;
  }

  retried(failures: readonly Failure[]): void {
    for (const { kind } of failures) this.#reasons.add('retry', kind);
  }

  /** In direct mode. */
  refused(failures: readonly Failure[]): void {
    for (const { kind } of failures) this.#reasons.add('refused', kind);
  }

  dead(order: string, { attempts, failure }: DeadOrder): void {
    const { shown, kind } = failure;
    this.#reasons.add('dead', kind);
    this.#timer ??= setTimeout(() => this.flush(), SUM_MS).unref();
    if (this.#lines < LINES_MAX) {
      this.#lines++;
      this.#log('dead-letter', 'an order is a dead letter now', {
        order,
        reason: shown,
        attempts,
      });
      return;
    }
    const label = this.#reasons.labelOf(kind);
    const unlogged = this.#unlogged.get(label);
    if (unlogged === undefined) this.#unlogged.set(label, { orders: 1, order, shown });
    else Object.assign(unlogged, { orders: unlogged.orders + 1, order, shown });
  }

  /** Writes what is held back. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#lines = 0;
    for (const { orders, order, shown } of this.#unlogged.values()) {
      const text =
        orders === 1 ? 'an order is a dead letter now' : 'more orders are dead letters now';
      this.#log('dead-letter', text, { orders, order, reason: shown });
    }
    this.#unlogged.clear();
  }
}
