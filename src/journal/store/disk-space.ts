import { closeSync, constants, openSync, type Stats, statSync, writeSync } from 'node:fs';
import { FreeSpace } from './file-system.js';

/** How old the last check may be when no write to the tables follows directly. */
const CHECK_MS = 20;

const MIB = 1024 ** 2;

/** What must be available before a step is taken. */
export interface SpaceFloor {
  /** On the file system. */
  readonly freeBytes: number;
  /** In the file, behind the last page in use. */
  readonly spareBytes: number;
}

/**
 * Floors for taking new frames, and for any write to the tables. The difference is left for settling, which frees
 * space.
 *
 * LMDB itself must not meet a full disk: lmdb 3.5.6 writes its error message, mostly over 100 characters, into 100
 * bytes of heap (mdb.c, "Attempting to write page"), and the process crashes. Checking the free space detects a full
 * disk early. It does not cover what other processes write between check and write, or a quota; the spare pages do. A
 * group of writes takes 2 MiB and one more item, twice that in pages, and expiry writes beside it: see
 * grouped-writes.ts and expiry.ts.
 */
export const APPEND_FLOOR: SpaceFloor = { freeBytes: 32 * MIB, spareBytes: 12 * MIB };
export const WRITE_FLOOR: SpaceFloor = { freeBytes: 16 * MIB, spareBytes: 10 * MIB };

/**
 * Spare before each write while the disk has space: for the drain thread, and for frames that intake threads write to
 * the tables at the same time.
 */
const SPARE_BYTES = 16 * MIB;
/** The least that is appended, so that not every write appends. */
const STEP_BYTES = MIB;
const PAGE_BYTES = 4096;

/**
 * Checks whether a file can be written: it is still the file that was opened, its file system takes writes and has
 * space, and the next pages are allocated.
 */
export class DiskSpace {
  readonly #free: FreeSpace;
  readonly #file: string;
  #inode = 0;
  #usedBytes = () => 0;
  #spare: SparePages | null = null;
  #checkedAtMs = Number.NEGATIVE_INFINITY;
  #freeBytes = 0;
  #spareBytes = Number.POSITIVE_INFINITY;
  #fault = '';
  #spareFault = '';

  constructor(folder: string, file: string) {
    this.#free = new FreeSpace(folder);
    this.#file = file;
  }

  /**
   * To be called when the file was opened; from then on it must stay the same file.
   * @param usedBytes where the last page in use ends
   */
  watchFile(usedBytes: () => number): void {
    this.#inode = statForWriting(this.#file).ino;
    this.#usedBytes = usedBytes;
    this.#spare = new SparePages(this.#file);
    this.#check(SPARE_BYTES);
  }

  /** Why less than `floor` is available, checked a moment ago at most; empty when enough is. */
  shortage(floor: SpaceFloor): string {
    if (performance.now() - this.#checkedAtMs >= CHECK_MS) this.#check(floor.spareBytes);
    return this.#shortageOf(floor);
  }

  /** The same, checked now, after appending spare pages: for callers that write to the tables next. */
  shortageNow(floor: SpaceFloor): string {
    this.#check(SPARE_BYTES);
    return this.#shortageOf(floor);
  }

  close(): void {
    this.#spare?.close();
    this.#spare = null;
  }

  #shortageOf({ freeBytes, spareBytes }: SpaceFloor): string {
    if (this.#fault !== '') return this.#fault;
    if (this.#freeBytes < freeBytes) {
      return `disk full: ${inMib(this.#freeBytes)} MiB free, ${inMib(freeBytes)} needed`;
    }
    return this.#spareBytes >= spareBytes
      ? ''
      : `${this.#file} cannot grow: ${inMib(this.#spareBytes)} MiB spare, ${inMib(spareBytes)} needed: ${this.#spareFault}`;
  }

  /** @param spareMin spare pages are appended below this */
  #check(spareMin: number): void {
    this.#checkedAtMs = performance.now();
    try {
      this.#freeBytes = this.#free.bytes();
      if (this.#spare === null) return;
      const { ino, size } = statForWriting(this.#file);
      // Data written to a deleted file is lost with the process.
      if (ino !== this.#inode) throw new Error(`${this.#file} is not the file that was opened`);
      this.#fault = '';
      this.#spareBytes = size - this.#usedBytes();
      if (this.#spareBytes < spareMin) this.#appendSpare(this.#spare);
    } catch (error) {
      this.#fault = (error as Error).message;
    }
  }

  /** Appends as much as the disk can give without going below its floor. */
  #appendSpare(spare: SparePages): void {
    const missing = SPARE_BYTES + STEP_BYTES - this.#spareBytes;
    const bytes = Math.min(missing, this.#freeBytes - WRITE_FLOOR.freeBytes);
    this.#spareFault = `${inMib(this.#freeBytes)} MiB free`;
    try {
      spare.append(Math.max(0, bytes - (bytes % PAGE_BYTES)));
    } catch (error) {
      // For example a quota, which the free space does not show.
      this.#spareFault = (error as Error).message;
    }
    this.#spareBytes = statForWriting(this.#file).size - this.#usedBytes();
  }
}

/** The process, or the machine, has no file descriptor left: that says nothing about the disk. */
const NO_DESCRIPTOR = ['EMFILE', 'ENFILE'];

/**
 * @throws Error the file is gone, or its file system takes no more writes, as after a disk error: ext4 and XFS report
 *   that when a file is opened for writing, but not to stat or access
 */
function statForWriting(file: string): Stats {
  try {
    closeSync(openSync(file, constants.O_WRONLY));
  } catch (error) {
    if (!NO_DESCRIPTOR.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  return statSync(file);
}

function inMib(bytes: number): number {
  return Math.floor(bytes / MIB);
}

const ZEROS = Buffer.alloc(256 * 1024);

/**
 * Allocated blocks at the end of the journal's file that LMDB has not used yet. LMDB's next writes go there and need
 * no free space. LMDB accepts a file that is longer than its last page requires.
 */
class SparePages {
  readonly #descriptor: number;

  constructor(file: string) {
    this.#descriptor = openSync(file, constants.O_WRONLY | constants.O_APPEND);
  }

  /**
   * Appends zeros at the current end of the file (O_APPEND). Everything that LMDB has written lies before that, so
   * threads and processes may write, and append, at the same time.
   * @throws Error the disk gives no more space; what was appended stays
   */
  append(bytes: number): void {
    for (let left = bytes; left > 0; ) {
      left -= writeSync(this.#descriptor, ZEROS, 0, Math.min(left, ZEROS.length));
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
