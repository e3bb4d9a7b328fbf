/** An order that failed for good. The journal keeps it until it is replayed or dropped. */
export interface StoredDeadLetter {
  readonly orderId: string;
  readonly reason: string;
  /** How often the order was tried. */
  readonly attempts: number;
  /** When its frame was accepted; epoch milliseconds. */
  readonly firstAtMs: number;
  /** When it became a dead letter; epoch milliseconds. */
  readonly lastAtMs: number;
  /** See `Frame.schema`. */
  readonly schema?: string;
  /** The line of the order, byte for byte as accepted, without the line feed: see `KeptHeaders`. */
  readonly body: Uint8Array;
}

/**
 * The dead letters of one journal. The server may be running. An order has at most one dead letter, because a replay
 * removes the earlier one.
 */
export interface DeadLetterStore {
  /** Local: by order id, and so by time of acceptance. JetStream: by the time they became dead letters. */
  list(): AsyncIterable<StoredDeadLetter>;
  /** Null when there is none. */
  find(orderId: string): Promise<StoredDeadLetter | null>;
  /**
   * Returns the order to the journal with the same id, as a first attempt, and removes the dead letter. Idempotent:
   * called twice, the order is processed once.
   *
   * @param schema digest of the schema that the order was valid against just now
   * @param lastAtMs of the letter that is meant; null for any. Another process can have replayed it, and the order failed again
   * @returns false when there is no such dead letter
   */
  replay(orderId: string, schema: string, lastAtMs?: number | null): Promise<boolean>;
  /**
   * Deletes the dead letter permanently.
   * @param lastAtMs as for `replay`; for null it need not be readable
   * @returns false when there is none
   */
  drop(orderId: string, lastAtMs?: number | null): Promise<boolean>;
  close(): Promise<void>;
}
