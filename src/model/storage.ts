/** Where accepted orders are, and how much room there is. */
export interface Storage {
  /** What this user can still write to the file system of the data folder. */
  readonly freeBytes: number;
  /** All of that file system. */
  readonly sizeBytes: number;
  /** Local journal: its files. NATS: the stream of orders, as of the last second in which NATS answered. */
  readonly journalBytes: number;
}
