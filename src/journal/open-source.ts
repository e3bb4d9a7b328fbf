import type { ThreadCounts } from '../metrics/count.js';
import type { Durability } from '../model/durability.js';
import type { RememberedKey } from '../model/frame.js';
import type { Source } from '../model/journal.js';
import type { Log } from '../model/log.js';
import type { Options } from '../model/options.js';

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
  /** Has the appenders tell of their next commit, see `OpenSource.onCommitted`; null where nobody waits for frames. */
  readonly listen: (() => void) | null;
  /**
   * Called when the data folder is there, and before anything in it is changed that another process may be using.
   *
   * @throws OperatorFault one is
   */
  readonly claimFolder: () => Promise<void>;
}

export interface OpenSource {
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
  readonly keys: (sinceMs: number) => Iterable<RememberedKey> | AsyncIterable<RememberedKey>;
}

/** The journal that the options ask for, as the drain reads it; not for direct mode, which has none. */
export async function openSource(options: Options, parts: SourceParts): Promise<OpenSource> {
  // Each loaded only where it is used: NATS is a tenth of the time to ready.
  if (options.nats.length > 0) {
    const { openSpooledSource } = await import('./spool/open-spooled.js');
    return openSpooledSource(options, parts);
  }
  const { openLocalSource } = await import('./local/local-open.js');
  return openLocalSource(options, parts);
}
