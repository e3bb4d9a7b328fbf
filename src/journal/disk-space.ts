import { statfsSync } from 'node:fs';

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

/** The free space of the file system that a folder is on, looked up at most every few milliseconds. */
export class DiskSpace {
  readonly #folder: string;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #freeBytes = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Why there is too little, in words; empty when at least `bytesMin` are free. */
  lack(bytesMin: number): string {
    const nowMs = performance.now();
    if (nowMs - this.#lookedAtMs >= LOOK_MS) {
      const { bavail, bsize } = statfsSync(this.#folder);
      this.#freeBytes = bavail * bsize;
      this.#lookedAtMs = nowMs;
    }
    return this.#freeBytes >= bytesMin
      ? ''
      : `disk full: ${inMib(this.#freeBytes)} MiB free, ${inMib(bytesMin)} needed`;
  }
}

function inMib(bytes: number): number {
  return Math.floor(bytes / 1024 ** 2);
}
