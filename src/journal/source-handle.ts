import type { ThreadCounts } from '../metrics/count.js';
import type { Allowance, DrainControl } from '../model/drain-control.js';
import type { Durability } from '../model/durability.js';
import type { StoredKey } from '../model/frame.js';
import type { Source } from '../model/journal.js';
import type { LeftOrders } from '../model/left-orders.js';
import type { Log } from '../model/log.js';
import type { Storage } from '../model/storage.js';
import type { UnreadableCounts } from '../model/unreadable.js';

/** What a journal is opened with in the drain thread. */
export interface SourceParts {
  /** Makes ids for refiled frames; they sort by time like those of fresh frames. */
  readonly newFrameId: () => string;
  /** Orders committed by all appenders of this process; never decreases. */
  readonly acceptedOrders: () => number;
  /** How many of them the spool took; never decreases. */
  readonly spooledOrders: () => number;
  /** Frames whose idempotency keys the appenders could not store; never decreases. */
  readonly failedKeyRows: () => number;
  /** The counts of the drain thread. */
  readonly counts: ThreadCounts;
  readonly log: Log;
  /**
   * Makes the appenders report their next commit, see `SourceHandle.onCommitted`; null when nothing waits for frames.
   */
  readonly requestWake: (() => void) | null;
  /**
   * Called when the data folder exists, before anything in it is changed that another process may be using.
   * @throws OperatorFault another process is using it
   */
  readonly claimFolder: () => Promise<void>;
  /**
   * What the last process on the data folder has left, if it died. Called after `claimFolder`. It is durable in the
   * folder when the source is open.
   */
  readonly left: () => readonly LeftOrders[];
}

/** The drain thread's side of an open journal. */
export interface SourceHandle {
  readonly source: Source;
  readonly control: DrainControl;
  readonly allowance: Allowance;
  /** Tells the source that an appender of this process has committed; null when the source finds out by itself. */
  readonly onCommitted: (() => void) | null;
  /** Resolves when the journal first answers; rejects with an OperatorFault when it never will. */
  readonly ready: Promise<void>;
  /** The guarantee in force. */
  readonly durability: () => Durability;
  /** What cannot be read in the data folder. */
  readonly unreadable: () => UnreadableCounts;
  /** Where its orders are. Does not throw, also when the source is closed. */
  readonly storage: () => Storage;
  /** Closes the source and everything that was opened with it. */
  readonly close: () => Promise<void>;
  /**
   * The idempotency keys of orders accepted since `sinceMs` (epoch milliseconds); to be read before intake listens.
   */
  readonly keys: (sinceMs: number) => Iterable<StoredKey> | AsyncIterable<StoredKey>;
}
