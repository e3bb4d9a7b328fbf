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
