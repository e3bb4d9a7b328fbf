import { statfsSync, statSync } from 'node:fs';

/** How old the last look may be. At 500 MB/s 10 MB can be written in that time: see the bounds below. */
const LOOK_MS = 20;

/**
 * Free space below which new frames are refused, and below which nothing is written at all: what
 * lies between is for settling, which makes room.
 *
 * LMDB must not meet a full disk itself: lmdb 3.5.6 writes its message about that, mostly over 100
 * characters, into 100 bytes of heap (mdb.c, "Attempting to write page"), and the process dies.
 */
export const APPEND_BYTES_MIN = 32 * 1024 ** 2;
export const WRITE_BYTES_MIN = 16 * 1024 ** 2;

/**
 * Whether a file can be written on: it is still the one that was opened, and its file system has room.
 * Looked up at most every few milliseconds.
 */
export class DiskSpace {
  readonly #folder: string;
  readonly #file: string;
  #inode = 0;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #freeBytes = 0;
  #fault = '';

  constructor(folder: string, file: string) {
    this.#folder = folder;
    this.#file = file;
  }

  /** To be called when the file was opened: from now on it must stay that very file. */
  watchFile(): void {
    this.#inode = statSync(this.#file).ino;
  }

  /** Why there is too little, in words; empty when at least `bytesMin` are free. */
  lack(bytesMin: number): string {
    const nowMs = performance.now();
    if (nowMs - this.#lookedAtMs >= LOOK_MS) {
      this.#look();
      this.#lookedAtMs = nowMs;
    }
    if (this.#fault !== '') return this.#fault;
    return this.#freeBytes >= bytesMin
      ? ''
      : `disk full: ${inMib(this.#freeBytes)} MiB free, ${inMib(bytesMin)} needed`;
  }

  #look(): void {
    try {
      const { bavail, bsize } = statfsSync(this.#folder);
      this.#freeBytes = bavail * bsize;
      // What is written into a file that was removed is gone with the process.
      const isGone = this.#inode !== 0 && statSync(this.#file).ino !== this.#inode;
      this.#fault = isGone ? `${this.#file} is not the file that was opened` : '';
    } catch (error) {
      this.#fault = (error as Error).message;
    }
  }
}

function inMib(bytes: number): number {
  return Math.floor(bytes / 1024 ** 2);
}
