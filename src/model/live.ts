import type { Durability } from './durability.js';
import type { LoggedEvent } from './log.js';
import type { Storage } from './storage.js';

/** What the live page gets once, because it does not change while the process runs. */
export interface LiveFacts {
  /** Different after each start of the server. */
  readonly boot: string;
  readonly build: {
    readonly version: string;
    readonly node: string;
    readonly mode: string;
    readonly journal: string;
    /** Where orders are posted. */
    readonly path: string;
    /** Digest of the schema that they must be valid against. */
    readonly schema: string;
  };
  readonly host: string;
  readonly startedAtMs: number;
  /** From when on `LiveNow` counts. Rows that a page still has from before are of another process. */
  readonly countedFromMs: number;
  /** Requests per second; 0 is no limit. */
  readonly rpsLimit: number;
  /** Whether this process processes orders. */
  readonly drains: boolean;
  /** Whether frames can go to a spool. */
  readonly spools: boolean;
  /** What the process may use: the limit of its container, or the memory of the machine. */
  readonly memoryBytesMax: number;
  /** How long a row is kept. */
  readonly historyS: number;
  /** The status of each index of `LiveRow.answers` and `LiveNow.answers`. */
  readonly statuses: readonly number[];
  /** The thread of each index of `LiveRow.cpuPercent` and `lagMs`. */
  readonly threads: readonly string[];
  /** Upper bounds of the histogram buckets; a row has one more bucket, for values above all bounds. */
  readonly bounds: {
    readonly requestSeconds: readonly number[];
    readonly commitSeconds: readonly number[];
    readonly handlerSeconds: readonly number[];
    readonly orderAgeSeconds: readonly number[];
    readonly frameOrders: readonly number[];
  };
}

/**
 * About one second: counts are of this second, gauges are the values at its end. Histograms are counts per bucket,
 * not cumulative.
 */
export interface LiveRow {
  /** End of the second; epoch milliseconds. */
  readonly atMs: number;
  readonly spanMs: number;
  readonly rps: number;
  readonly answers: readonly number[];
  /** Orders answered with 200. */
  readonly accepted: number;
  readonly done: number;
  readonly failed: number;
  /** Orders per second, the limit in force; 0 is no limit. */
  readonly drainRate: number;
  readonly isPaused: boolean;
  /** Orders accepted in the frames that `frames` counts. */
  readonly framedOrders: number;
  readonly pendingOrders: number;
  readonly oldestAgeSeconds: number;
  readonly spoolOrders: number;
  readonly requestSeconds: readonly number[];
  /** From sending a frame to its acknowledgement: in the local journal, the flush. */
  readonly commitSeconds: readonly number[];
  /** Of one call of the handler, with its whole batch. */
  readonly handlerSeconds: readonly number[];
  readonly orderAgeSeconds: readonly number[];
  readonly frameOrders: readonly number[];
  /** Of one core; null if unknown. */
  readonly cpuPercent: readonly (number | null)[];
  /** Null for threads that do not report it. */
  readonly lagMs: readonly (number | null)[];
}

/** The current state: totals since the start of the process, and gauges. */
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
  /** When the backlog will be gone under the schedule, epoch milliseconds; null without one, or if that is unknown. */
  readonly scheduledGoneAtMs: number | null;
  readonly oldestAgeSeconds: number;
  readonly spoolOrders: number;
  readonly spooled: number;
  readonly forwarded: number;
  readonly rps: number;
  readonly memoryBytes: number;
  /** Null in direct mode, which stores nothing. */
  readonly storage: Storage | null;
  readonly durability: Durability;
  /** Why orders cannot be accepted. */
  readonly reasons: readonly string[];
  /** What does not work although orders are accepted. */
  readonly degraded: readonly string[];
}

/** The source of the numbers on the live page. */
export interface LiveSource {
  readonly facts: LiveFacts;
  /** Ends the current second. */
  take(): { readonly row: LiveRow; readonly now: LiveNow };
  /** The latest lines of the log, oldest first. The same array until there is a new line. */
  events(): readonly LoggedEvent[];
}
