import type { Stage } from './stage.js';
import type { Promises } from './verdict.js';

/** One way for things to go wrong, and what Forebay promises in spite of it. */
export interface Fault {
  readonly name: string;
  /** One line for the list. */
  readonly what: string;
  readonly promises: Promises;
  /** Left out of the short form unless it is named, for another there does nearly the same. */
  readonly isLongOnly?: true;
  /** Why it can't be run here, or null. */
  readonly lack?: () => string | null;
  /**
   * Starts what it needs on the stage, and a load; does its harm; and ends with `stage.finish()`, when the
   * load is over and all that was accepted should be processed.
   */
  readonly run: (stage: Stage) => Promise<void>;
}

/** An order may be refused, or its answer lost, while things are down; none is lost. */
export const ACCEPTED_IS_KEPT: Promises = { isLossAllowed: false, isOnly200: false };
/** What is down has a stand-in: clients notice nothing. */
export const NOBODY_NOTICES: Promises = { isLossAllowed: false, isOnly200: true };
/** What was lost is told, and is no fault of Forebay. */
export const LOSS_IS_TOLD: Promises = { isLossAllowed: true, isOnly200: false };
