import type { Guarantees } from '../../drills/ledger/verdict.js';
import type { Stage } from './stage.js';

/** A fault, and what Forebay guarantees despite it. */
export interface Fault {
  readonly name: string;
  /** One line for the list. */
  readonly what: string;
  readonly guarantees: Guarantees;
  /** Not part of --short, because another fault is similar. */
  readonly isLongOnly?: true;
  /** Why it cannot run here, or null. */
  readonly lack?: () => string | null;
  /**
   * Starts the servers and the load, causes the fault, and calls `stage.finish()` when all accepted orders should be
   * processed soon.
   */
  readonly run: (stage: Stage) => Promise<void>;
}

/** Orders may be refused, and responses lost, while servers are down. No accepted order is lost. */
export const NONE_LOST: Guarantees = { isLossAllowed: false, isOnly200: false };
/** Clients notice nothing: every order is answered 200. */
export const ONLY_200: Guarantees = { isLossAllowed: false, isOnly200: true };
/** Losses are reported and allowed. */
export const LOSS_ALLOWED: Guarantees = { isLossAllowed: true, isOnly200: false };
