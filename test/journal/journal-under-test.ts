import type { StoredDeadLetter } from '../../src/model/dead-letters.js';
import type { Appender, Source } from '../../src/model/journal.js';
import type { AppenderRequest } from './append-in-thread.js';

/** A journal under test, empty at first. */
export interface JournalUnderTest {
  /** Opens an appender; several can be open. The test closes it. */
  openAppender(): Promise<Appender>;
  /** Opens the source; one at a time. `acceptedOrders` is the count of the process. */
  openSource(acceptedOrders: () => number): Promise<Source>;
  /** How a separate thread opens an appender. */
  readonly threadAppender: AppenderRequest;
  deadLetters(): Promise<StoredDeadLetter[]>;
  /** Called when everything is closed. */
  remove(): Promise<void>;
}
