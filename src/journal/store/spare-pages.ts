import { closeSync, constants, openSync, writeSync } from 'node:fs';

const NOTHING = Buffer.alloc(256 * 1024);

/**
 * Blocks at the end of the journal's file that LMDB has not come to yet: what it writes next goes there, so that it
 * needs none of the disk. LMDB does not mind a file that is longer than its last page says.
 */
export class SparePages {
  readonly #descriptor: number;

  constructor(file: string) {
    this.#descriptor = openSync(file, constants.O_WRONLY | constants.O_APPEND);
  }

  /**
   * Appends so many bytes of nothing. They go to where the file ends at that very moment (O_APPEND), and all that LMDB
   * has written lies in front of that: threads and processes may write meanwhile, and do the same.
   *
   * @throws Error the disk gives no more; what it gave is there
   */
  append(bytes: number): void {
    for (let left = bytes; left > 0; ) {
      left -= writeSync(this.#descriptor, NOTHING, 0, Math.min(left, NOTHING.length));
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
