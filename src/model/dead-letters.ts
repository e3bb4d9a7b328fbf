/** An order that failed for good, as a journal keeps it until someone replays or drops it. */
export interface StoredDeadLetter {
  readonly orderId: string;
  readonly reason: string;
  /** How often it was tried. */
  readonly attempts: number;
  /** Epoch milliseconds at which its frame was accepted. */
  readonly firstAtMs: number;
  /** Epoch milliseconds at which it was given up. */
  readonly lastAtMs: number;
  /** The compact order, byte for byte as it was accepted, without the line end. */
  readonly body: Uint8Array;
}

/**
 * The dead letters of one journal, for whoever looks after them; the server may run meanwhile. An
 * order has one dead letter at most: one that was replayed and failed again replaces none, because
 * replaying took the earlier one away.
 */
export interface DeadLetterStore {
  /** By order id, which is by time of acceptance. */
  list(): AsyncIterable<StoredDeadLetter>;
  /** Null when there is none. */
  find(orderId: string): Promise<StoredDeadLetter | null>;
  /**
   * Files the order again as its first attempt, under the id it has, and takes the dead letter away. Told twice,
   * the order still is processed once. False when there is no such dead letter any more.
   */
  replay(orderId: string): Promise<boolean>;
  /** Deletes it for good. False when there is none. */
  drop(orderId: string): Promise<boolean>;
  close(): Promise<void>;
}
