import type { Durability } from './durability.js';

/** What the live page is told once: it stays the same while the process runs. */
export interface LiveFacts {
  /** Another one after each start of the server. */
  readonly boot: string;
  readonly build: {
    readonly version: string;
    readonly node: string;
    readonly mode: string;
    readonly journal: string;
  };
  readonly startedAtMs: number;
  /** Requests a second; 0 is no limit. */
  readonly rpsLimit: number;
  /** Orders a second; 0 is no bound. */
  readonly drainRate: number;
  /** How long a row is kept. */
  readonly historyS: number;
  /** What `LiveRow.answers` and `LiveNow.answers` count, by index. */
  readonly statuses: readonly number[];
  /** What `LiveRow.cpuPercent` and `lagMs` are of, by index. */
  readonly threads: readonly string[];
  /** Upper bounds of the buckets; a row has one bucket more, for what is above them all. */
  readonly bounds: {
    readonly requestSeconds: readonly number[];
    readonly orderAgeSeconds: readonly number[];
    readonly frameOrders: readonly number[];
  };
}

/**
 * What happened in about one second: counts are of this second, gauges are as they were at its end.
 * Histograms are counts by bucket, not cumulative.
 */
export interface LiveRow {
  /** The end of it; epoch milliseconds. */
  readonly atMs: number;
  readonly spanMs: number;
  readonly rps: number;
  readonly answers: readonly number[];
  readonly done: number;
  readonly failed: number;
  /** Orders accepted in the frames that `frames` counts. */
  readonly framedOrders: number;
  readonly pendingOrders: number;
  readonly oldestAgeSeconds: number;
  readonly spoolOrders: number;
  readonly requestSeconds: readonly number[];
  readonly orderAgeSeconds: readonly number[];
  readonly frameOrders: readonly number[];
  /** Of one core; null where it is not known. */
  readonly cpuPercent: readonly (number | null)[];
  /** Null for threads that do not tell. */
  readonly lagMs: readonly (number | null)[];
}

/** Where things stand: totals since the start of the process, and gauges. */
export interface LiveNow {
  readonly answers: readonly number[];
  readonly done: number;
  readonly failed: number;
  readonly frames: number;
  readonly aborted: number;
  readonly retries: number;
  readonly dead: number;
  readonly deadLetters: number;
  readonly deadLettersMax: number;
  readonly waitingOrders: number;
  readonly pendingOrders: number;
  readonly oldestAgeSeconds: number;
  readonly spoolOrders: number;
  readonly spooled: number;
  readonly forwarded: number;
  readonly rps: number;
  readonly durability: Durability;
  /** Why orders can't be taken. */
  readonly reasons: readonly string[];
  /** What does not work although orders can be taken. */
  readonly degraded: readonly string[];
}

/** Where the live page's numbers come from. */
export interface LiveSource {
  readonly facts: LiveFacts;
  /** Ends the second under way. */
  take(): { readonly row: LiveRow; readonly now: LiveNow };
}
