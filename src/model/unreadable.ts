/** Something in the data folder that is not as it was written, so that its orders are not processed. */
export interface UnreadableEntry {
  /** What the operator names it by: a table and a checksum of its key, or the name of its file. */
  readonly id: string;
  /** In a table of the journal, or set aside as a file in the folder `damaged` of the data folder. */
  readonly place: 'journal' | 'file';
  /** In one or two words, such as `frame`. */
  readonly what: string;
  /** The id of the frame or order, as far as it can be read; may be damaged too. */
  readonly name: string;
  readonly reason: string;
  readonly bytes: number;
}

/** Numbers of entries; they stay until an operator takes them out. */
export interface UnreadableCounts {
  /** Rows in the tables of the journal. */
  readonly rows: number;
  /** Files of the folder `damaged`, without incomplete ends of segments. */
  readonly files: number;
}

/** The unreadable entries of one data folder. The server may be running. */
export interface UnreadableStore {
  list(): AsyncIterable<UnreadableEntry>;
  /**
   * Moves rows out of the journal into files of the folder `damaged`, and says of each where it is now.
   * @param ids null for all; unknown ones are left out
   */
  setAside(
    ids: readonly string[] | null,
  ): AsyncIterable<{ readonly id: string; readonly path: string }>;
  close(): Promise<void>;
}
