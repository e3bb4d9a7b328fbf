import type { MessagePort } from 'node:worker_threads';
import type { ReasonCount } from '../../src/metrics/count.js';
import type { DrainChange, DrainInstance, DrainSetting } from '../../src/model/drain-control.js';
import type { Durability } from '../../src/model/durability.js';
import type { JournalName } from '../../src/model/journal.js';
import type { LogEvent } from '../../src/model/log.js';
import type { Options } from '../../src/model/options.js';
import type { ReceiptQuery, ReceiptReply } from '../../src/model/receipt.js';
import type { Storage } from '../../src/model/storage.js';
import type { UnreadableCounts } from '../../src/model/unreadable.js';
import type { SentError } from './sent-error.js';

/** What the drain thread is started with. */
export interface DrainThreadData {
  readonly options: Options;
  /** The file URL of an ES module. */
  readonly handler: string;
  readonly counts: SharedArrayBuffer;
  /** Intake threads, each with its block in the counts. */
  readonly intakeThreads: number;
  /** The table of idempotency keys. */
  readonly keys: SharedArrayBuffer;
  /** Memory of a `WakeFlag`: set while the thread sleeps until the next durable frame. */
  readonly wakeFlag: SharedArrayBuffer;
}

/** What the drain thread knows that the other threads show. Taken at one moment. */
export interface DrainState {
  /** Null in direct mode. */
  readonly journal: JournalState | null;
  /** Why orders cannot be processed, in one line; empty if they can. */
  readonly reason: string;
  readonly setting: DrainSetting;
  readonly instances: readonly DrainInstance[];
  /** See `DueTime`; Infinity for never, null if unknown. */
  readonly backlogGoneAtMs: number | null;
  /** Infinity without one, and while it is paused. */
  readonly windowEndsAtMs: number;
  /** What the schedule says now; null without one. */
  readonly scheduled: { readonly rate: number | 'paused'; readonly toMs: number } | null;
  readonly poolThreads: readonly { readonly name: string; readonly tid: number }[];
  readonly failureReasons: readonly ReasonCount[];
}

export interface JournalState {
  readonly name: JournalName;
  readonly reachable: boolean;
  readonly reason: string;
  readonly pendingOrders: number;
  /** Epoch milliseconds; 0 when there is none. */
  readonly oldestAcceptedAtMs: number;
  readonly deadLetters: number;
  readonly durability: Durability;
  readonly unreadable: UnreadableCounts;
  readonly storage: Storage;
}

/** What the main thread asks of the drain thread. Each call is answered. */
export interface DrainService {
  /** Opens the journal, the pool and what connects them. */
  open(): Promise<DrainState>;
  state(): Promise<DrainState>;
  /** Reads the idempotency keys of the journal into their table. */
  loadKeys(): Promise<void>;
  /** Resolves with null, or with one line that says why the handler cannot be loaded or used. */
  loadHandler(): Promise<string | null>;
  /** Resolves when the journal first answers. */
  ready(): Promise<void>;
  /** Begins to process orders, and to apply the schedule. */
  begin(): Promise<void>;
  /** Resolves with the state after the change, when it is kept. */
  change(change: DrainChange): Promise<DrainState>;
  /** Settles the orders that are in the pool and puts the others back. */
  stopDrain(): Promise<void>;
  closeJournal(): Promise<void>;
  destroyPool(): Promise<void>;
  /** Releases the rest. Afterwards the thread ends. */
  end(): Promise<void>;
}

/** Messages from the main thread to the drain thread. */
export type DrainCommand =
  | {
      readonly type: 'call';
      readonly id: number;
      readonly call: keyof DrainService;
      readonly given: unknown;
    }
  /** The answer to `folder`: the data folder belongs to this process. */
  | { readonly type: 'claimed' }
  /** The thread closes what it has opened, and ends. */
  | { readonly type: 'abandon' }
  /** A port that leads to an intake thread; with `isDirect`, its orders come through it, and go to the pool. */
  | { readonly type: 'intake'; readonly port: MessagePort; readonly isDirect: boolean };

/** Messages from the drain thread to the main thread. */
export type DrainReport =
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly error: SentError }
  /** The data folder exists. The thread waits until it is claimed. */
  | { readonly type: 'folder' }
  | {
      readonly type: 'log';
      readonly event: LogEvent;
      readonly message: string;
      readonly fields: Readonly<Record<string, string | number | boolean | SentError>>;
    }
  /** An error that nothing has caught. The thread goes on, so that it can be stopped in order. */
  | { readonly type: 'bug'; readonly error: SentError };

/** Messages from an intake thread to the drain thread. */
export type IntakeToDrain =
  /** A frame became durable, and the drain thread had asked to be woken. */
  | { readonly type: 'committed' }
  /** The queries of one event-loop turn. */
  | { readonly type: 'receipts'; readonly queries: readonly ReceiptQuery[] };

/** The only message from the drain thread to an intake thread. */
export interface DrainToIntake {
  readonly replies: readonly ReceiptReply[];
}
