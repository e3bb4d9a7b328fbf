import type { ThreadCounts } from '../metrics/count.js';
import type { Durability } from '../model/durability.js';
import type { StoredKey } from '../model/frame.js';
import type { Source } from '../model/journal.js';
import type { Log } from '../model/log.js';

/** What a journal is opened with in the main thread. */
export interface SourceParts {
  /** Ids for frames that are filed again; sort by time like those of fresh frames. */
  readonly newFrameId: () => string;
  /** Orders committed by all appenders of this process, ever rising. */
  readonly acceptedOrders: () => number;
  /** Of these, the ones that the spool took. */
  readonly spooledOrders: () => number;
  /** Frames whose idempotency keys the appenders could not note, ever rising. */
  readonly failedKeyRows: () => number;
  /** Of the main thread. */
  readonly counts: ThreadCounts;
  readonly log: Log;
  /** Has the appenders tell of their next commit, see `SourceHandle.onCommitted`; null where nobody waits for frames. */
  readonly listen: (() => void) | null;
  /**
   * Called when the data folder is there, and before anything in it is changed that another process may be using.
   *
   * @throws OperatorFault one is
   */
  readonly claimFolder: () => Promise<void>;
}

/** The main thread's side of a journal that has been opened. */
export interface SourceHandle {
  readonly source: Source;
  /** Tells the source that one of this process's appenders has committed; null where it finds out by itself. */
  readonly onCommitted: (() => void) | null;
  /** Resolves when the journal first answers; rejects with an OperatorFault when it never will. */
  readonly ready: Promise<void>;
  /** The guarantee in force. */
  readonly durability: () => Durability;
  /** Closes the source and all that was opened with it. */
  readonly close: () => Promise<void>;
  /** The idempotency keys of orders accepted since then, epoch milliseconds; to be read before intake listens. */
  readonly keys: (sinceMs: number) => Iterable<StoredKey> | AsyncIterable<StoredKey>;
}
