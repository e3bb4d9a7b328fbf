/** The request was sent, and the connection ended or said nothing: nobody knows whether it is kept. */
export const BROKEN = 0;
/** It was due, but nobody took it in time: never sent. */
export const UNSENT = -1;

/** What the client knows of each order of a run; all three are indexed by sequence number. */
export interface SentOrders {
  /** The HTTP status, `BROKEN` or `UNSENT`. */
  readonly statuses: Int16Array;
  /** `x-order-id` where the status is 200; empty otherwise. */
  readonly ids: readonly string[];
  /** Milliseconds from the moment the order was due to its answer; 0 where there is none. */
  readonly latenciesMs: Float32Array;
}
