/** A batch as it crosses from the main thread to a pool thread. */
export interface BatchMessage {
  /** NDJSON, one order a line, in the order of the segments. */
  readonly payload: Uint8Array;
  readonly segments: readonly BatchSegment[];
}

/** A batch on its way to its thread. */
export interface BatchCall extends BatchMessage {
  /** Its number among `StartedCalls`. */
  readonly call: number;
}

/** Orders of one batch that come from one frame and so share its attempt and time. */
export interface BatchSegment {
  /** What their ids begin with: the id of the frame they were accepted in. */
  readonly origin: string;
  readonly count: number;
  /** Where the first of them stood in that frame; the others follow it, unless `indexes` says otherwise. */
  readonly firstIndex: number;
  /** Where each of them stood; null for a run of neighbours, which crosses more cheaply. */
  readonly indexes: readonly number[] | null;
  readonly attempt: number;
  readonly acceptedAtMs: number;
}

export const OUTCOME_DONE = 0;
export const OUTCOME_RETRY = 1;
export const OUTCOME_DEAD = 2;
/** Not run after all: it is to be run as if nothing had been. No handler can say so. */
export const OUTCOME_NOT_RUN = 3;
/** The thread died over it alone: to be tried again, and nobody knows whether it was processed. */
export const OUTCOME_UNKNOWN = 4;

/** What a pool thread answers. */
export interface BatchResult {
  /**
   * Null when all are done, else one `OUTCOME_…` byte an order. Meaningless when `notLoaded`, `paused`
   * or `thrown` is set.
   */
  readonly outcomes: Uint8Array | null;
  /** The thread could not load the handler, so nothing was run, and the thread ends: why. Null otherwise. */
  readonly notLoaded: string | null;
  /** The handler threw with `pause: true`: what it works for is away, and why. Null otherwise. */
  readonly paused: string | null;
  /** The handler threw anything else, or returned what no handler may: the message. Null otherwise. */
  readonly thrown: string | null;
  /** What kind of thing that was, and where in the code it was thrown: without the message. */
  readonly thrownAt: string;
  /** What was thrown has `dead: true`: for an order that stands alone, trying again is of no use. */
  readonly thrownDead: boolean;
  readonly handlerMs: number;
  /** The thread's id in the operating system, for its CPU figure; 0 where there is none. */
  readonly tid: number;
}

/** What a pool thread answers when it is told to load the handler, at the start. */
export interface LoadResult {
  /** Why Forebay cannot start with this handler, in one line; null when it can. */
  readonly wrong: string | null;
  /** Why what the handler works for is away, which is no reason not to start; null when it is there. */
  readonly away: string | null;
}

/**
 * What crosses the port between an intake thread and the main thread in direct mode, where a commit
 * means that the pool has processed the orders.
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
  /** Null when every order is processed, else a `VERDICT` an order. */
  readonly verdicts: Uint8Array | null;
}
