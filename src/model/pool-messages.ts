/** A batch, as the drain thread sends it to a pool thread. */
export interface BatchMessage {
  /** NDJSON: one order per line, in the order of the segments. */
  readonly payload: Uint8Array;
  readonly segments: readonly BatchSegment[];
  /** Where the thread writes down what it has in hand; null in direct mode. */
  readonly slot: number | null;
}

/** A batch with the number of its handler call. */
export interface BatchCall extends BatchMessage {
  /** Its number among `StartedCalls`. */
  readonly call: number;
  /** That of its grant, see `StartGate`. */
  readonly epoch: number;
}

/** Orders of one batch that come from the same frame, and so share attempt and time. */
export interface BatchSegment {
  /** The id of the frame that the orders were accepted in: the first part of their ids. */
  readonly origin: string;
  readonly count: number;
  /** The frame that was delivered; null if it is `origin`. */
  readonly frameId: string | null;
  /** Position of the first order in the frame that was delivered; the others follow it. */
  readonly position: number;
  /** Index of each order in that frame; null if it is the position. */
  readonly indexes: readonly number[] | null;
  readonly attempt: number;
  readonly acceptedAtMs: number;
  /** See `Frame.crashes`; 0 for none. */
  readonly crashes: number;
}

export const OUTCOME_DONE = 0;
export const OUTCOME_RETRY = 1;
export const OUTCOME_DEAD = 2;
/** The order was not run, and its attempt does not count. Only the pool sets this, no handler can. */
export const OUTCOME_NOT_RUN = 3;
/** The thread died while it ran this order alone: retried; whether it was processed is unknown. */
export const OUTCOME_UNKNOWN = 4;

/** Why an order failed. */
export interface Failure {
  /** For its dead letter: may quote the order. */
  readonly reason: string;
  /** The same for the log, without what the order says. */
  readonly shown: string;
  /** What is counted: like `shown`, but the same for failures of one kind. */
  readonly kind: string;
}

/** The kind of failures by which the handler returned what is no outcome. */
export const INVALID_OUTCOME = 'invalid outcome';

/** Why an order failed for which the handler gave no reason. @param outcome OUTCOME_RETRY or OUTCOME_DEAD */
export function unexplained(outcome: number): Failure {
  const reason = `the handler returned ${outcome === OUTCOME_DEAD ? 'dead' : 'retry'}`;
  return { reason, shown: reason, kind: 'no reason given' };
}

/** What a handler returned for one order, beyond the outcome. */
export interface OutcomeNote extends Failure {
  /** Milliseconds until the next attempt; null for the usual delay. */
  readonly retryAfterMs: number | null;
}

/** The handler cannot work now, and asks for a pause. */
export interface PauseNote {
  /** In one line, without what an order says. */
  readonly why: string;
  /** Milliseconds; null for a pause that grows. */
  readonly retryAfterMs: number | null;
}

/** The answer of a pool thread to a batch. */
export interface BatchResult {
  /**
   * Null when all orders are done, else one `OUTCOME_…` byte per order. Meaningless when `notLoaded`, `notStarted`,
   * `paused` or `thrown` is set.
   */
  readonly outcomes: Uint8Array | null;
  /** By index in the batch, of orders that failed; null for none. Without a note, the handler gave no reason. */
  readonly notes: ReadonlyMap<number, OutcomeNote> | null;
  /** Why the thread could not load the handler; nothing was run, and the thread ends. Null otherwise. */
  readonly notLoaded: string | null;
  /** The call might not start any more; nothing was run. */
  readonly notStarted: boolean;
  /** The handler threw with `pause: true` or `retryAfterMs`. Null otherwise. */
  readonly paused: PauseNote | null;
  /** The handler threw anything else, or returned what is not one outcome per order. Null otherwise. */
  readonly thrown: Failure | null;
  /** The error has `dead: true`: an order that fails alone is not retried. */
  readonly thrownDead: boolean;
  readonly handlerMs: number;
  /** Thread id of the operating system, for CPU figures; 0 if unknown. */
  readonly tid: number;
}

/** A message of a pool thread outside its answers: errors of the handler that belong to no running call. */
export interface StrayErrors {
  /** How many since the last message. */
  readonly strayErrors: number;
  /** Class and place of the first of them, without its message. */
  readonly how: string;
}

/** The answer of a pool thread that was told to load the handler, at the start. */
export interface LoadResult {
  /** Why Forebay cannot start with this handler, in one line; null when it can. */
  readonly error: string | null;
  /** If `prepare` asked for a pause, with which Forebay does start; null otherwise. */
  readonly outage: PauseNote | null;
}

/**
 * A frame that an intake thread sends to the drain thread in direct mode, where a commit means that the pool has
 * processed the orders.
 */
export interface DirectRequest {
  readonly sequence: number;
  readonly id: string;
  readonly count: number;
  readonly acceptedAtMs: number;
  /** NDJSON, transferred. */
  readonly payload: Uint8Array;
}

export interface DirectReply {
  readonly sequence: number;
  /** Null when every order is processed, else one `VERDICT` per order. */
  readonly verdicts: Uint8Array | null;
}
