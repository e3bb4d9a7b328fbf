import type { DeadLetterStore } from '../../model/dead-letters.js';
import type { Limiter } from '../../model/limiter.js';
import type { BodyValidator } from '../../model/order-path.js';

/** What the commands work with. */
export interface Desk {
  readonly store: DeadLetterStore;
  readonly validator: BodyValidator;
  /** Makes an exact limiter: at most so many in any second. */
  readonly limiter: (perSecond: number) => Limiter;
  /** Answers; resolves when the reader keeps up. */
  readonly print: (text: string | Uint8Array) => Promise<void>;
  /** One line for the operator beside the answers. */
  readonly note: (line: string) => void;
  /** Characters that fit on a line. */
  readonly columns: number;
  /** Aborted when the operator wants it to end: nothing is begun then. */
  readonly stop: AbortSignal;
}
