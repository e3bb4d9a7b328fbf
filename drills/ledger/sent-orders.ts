/** The request was sent, and the connection ended without a response: the client cannot know whether it is stored. */
export const BROKEN = 0;
/** It was due, but no connection was free in time: never sent. */
export const UNSENT = -1;

/** What the client knows about each order, by sequence number. */
export interface SentOrders {
  /** The HTTP status, `BROKEN` or `UNSENT`. */
  readonly statuses: Int16Array;
  /** `x-order-id` if the status is 200, otherwise empty. */
  readonly ids: readonly string[];
  /** From when the order was due until its response; 0 without a response. */
  readonly latenciesMs: Float32Array;
}
