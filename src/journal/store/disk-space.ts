import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  type Stats,
  statfsSync,
  writeSync,
} from 'node:fs';

/** How old the last look may be where nothing is written to the tables right after it. */
const LOOK_MS = 20;

const MIB = 1024 ** 2;

/** What must be there before a step is taken. */
export interface Room {
  /** On the file system. */
  readonly freeBytes: number;
  /** In the file already, behind the last page in use. */
  readonly spareBytes: number;
}

/**
 * For new frames, and for all that is written to the tables: what lies between is for settling, which makes room.
 *
 * LMDB must not meet a full disk itself: lmdb 3.5.6 writes its message about that, mostly over 100
 * characters, into 100 bytes of heap (mdb.c, "Attempting to write page"), and the process dies. The free room says
 * that early and in words. What it cannot say is what becomes of the disk between the look and the write, and where a
 * quota lies: that is what the spare pages are for. A group of writes takes 2 MiB and one item more, twice that in
 * pages, and forgetting writes beside it: see grouped-writes.ts and forgetting.ts.
 */
export const APPEND_FLOOR: Room = { freeBytes: 32 * MIB, spareBytes: 12 * MIB };
export const WRITE_FLOOR: Room = { freeBytes: 16 * MIB, spareBytes: 10 * MIB };

/** What is spare before each write while the disk has room: for the main thread, and for frames that threads write to the tables meanwhile. */
const SPARE_BYTES = 16 * MIB;
/** Appended at least, so that not every write has to. */
const STEP_BYTES = MIB;
const PAGE_BYTES = 4096;

/**
 * Whether a file can be written on: it is still the one that was opened, its file system takes writes and has room, and
 * the pages that come next lie there already.
 */
export class DiskSpace {
  readonly #folder: string;
  readonly #file: string;
  #inode = 0;
  #usedBytes = () => 0;
  #spare: SparePages | null = null;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #freeBytes = 0;
  #spareBytes = Number.POSITIVE_INFINITY;
  #fault = '';
  #spareFault = '';

  constructor(folder: string, file: string) {
    this.#folder = folder;
    this.#file = file;
  }

  /**
   * To be called when the file was opened: from now on it must stay that very file.
   *
   * @param usedBytes where its last page in use ends
   */
  watchFile(usedBytes: () => number): void {
    this.#inode = statForWriting(this.#file).ino;
    this.#usedBytes = usedBytes;
    this.#spare = new SparePages(this.#file);
    this.#look(SPARE_BYTES);
  }

  /** Why there is less, in words, as of a moment ago; empty when there is not. */
  shortage(room: Room): string {
    if (performance.now() - this.#lookedAtMs >= LOOK_MS) this.#look(room.spareBytes);
    return this.#shortageOf(room);
  }

  /** The same as of now, and with all the spare pages that there should be: for whoever writes to the tables next. */
  shortageNow(room: Room): string {
    this.#look(SPARE_BYTES);
    return this.#shortageOf(room);
  }

  close(): void {
    this.#spare?.close();
    this.#spare = null;
  }

  #shortageOf({ freeBytes, spareBytes }: Room): string {
    if (this.#fault !== '') return this.#fault;
    if (this.#freeBytes < freeBytes) {
      return `disk full: ${inMib(this.#freeBytes)} MiB free, ${inMib(freeBytes)} needed`;
    }
    return this.#spareBytes >= spareBytes
      ? ''
      : `${this.#file} cannot grow: ${inMib(this.#spareBytes)} MiB spare, ${inMib(spareBytes)} needed: ${this.#spareFault}`;
  }

  /** @param spareMin pages are appended when less is spare */
  #look(spareMin: number): void {
    this.#lookedAtMs = performance.now();
    try {
      const { bavail, bsize } = statfsSync(this.#folder);
      this.#freeBytes = bavail * bsize;
      if (this.#spare === null) return;
      const { ino, size } = statForWriting(this.#file);
      // What is written into a file that was removed is gone with the process.
      if (ino !== this.#inode) throw new Error(`${this.#file} is not the file that was opened`);
      this.#fault = '';
      this.#spareBytes = size - this.#usedBytes();
      if (this.#spareBytes < spareMin) this.#appendSpare(this.#spare);
    } catch (error) {
      this.#fault = (error as Error).message;
    }
  }

  /** As much as the disk can give and have its floor left. */
  #appendSpare(spare: SparePages): void {
    const missing = SPARE_BYTES + STEP_BYTES - this.#spareBytes;
    const bytes = Math.min(missing, this.#freeBytes - WRITE_FLOOR.freeBytes);
    this.#spareFault = `${inMib(this.#freeBytes)} MiB free`;
    try {
      spare.append(Math.max(0, bytes - (bytes % PAGE_BYTES)));
    } catch (error) {
      // A quota, say, of which the free room says nothing.
      this.#spareFault = (error as Error).message;
    }
    this.#spareBytes = statForWriting(this.#file).size - this.#usedBytes();
  }
}

/**
 * @throws Error it is gone; or its file system takes no writes any more, as after an error of the disk: to be asked for a
 * descriptor to write by, ext4 and XFS say so, and stat or access do not.
 */
function statForWriting(file: string): Stats {
  const descriptor = openSync(file, constants.O_WRONLY);
  try {
    return fstatSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function inMib(bytes: number): number {
  return Math.floor(bytes / MIB);
}

const NOTHING = Buffer.alloc(256 * 1024);

/**
 * Blocks at the end of the journal's file that LMDB has not come to yet: what it writes next goes there, so that it
 * needs none of the disk. LMDB does not mind a file that is longer than its last page says.
 */
class SparePages {
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
