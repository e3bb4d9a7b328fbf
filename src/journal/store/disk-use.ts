import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { FreeSpace } from './file-system.js';

export interface DiskUseFound {
  /** 0 when the folder cannot be read: then nothing can be written either. */
  readonly freeBytes: number;
  readonly sizeBytes: number;
  /** The files in the folder and in the folders in it. */
  readonly filesBytes: number;
}

/** Each scrape and each row of the live page asks. */
const FOUND_MS_MAX = 500;

/** What a data folder takes, and what is left for it. */
export class DiskUse {
  readonly #folder: string;
  readonly #space: FreeSpace;
  #foundAtMs = Number.NEGATIVE_INFINITY;
  #found: DiskUseFound = { freeBytes: 0, sizeBytes: 0, filesBytes: 0 };

  constructor(folder: string) {
    this.#folder = folder;
    this.#space = new FreeSpace(folder);
  }

  /** As of half a second ago at most. Does not throw. */
  read(): DiskUseFound {
    const nowMs = performance.now();
    if (nowMs - this.#foundAtMs < FOUND_MS_MAX) return this.#found;
    this.#foundAtMs = nowMs;
    try {
      const { freeBytes, sizeBytes } = this.#space.read();
      this.#found = { freeBytes, sizeBytes, filesBytes: filesBytes(this.#folder, 1) };
    } catch {
      this.#found = { ...this.#found, freeBytes: 0 };
    }
    return this.#found;
  }
}

/** @param depth of the folders in it that are counted */
function filesBytes(folder: string, depth: number): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isFile()) bytes += statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    else if (entry.isDirectory() && depth > 0) bytes += filesBytes(path, depth - 1);
  }
  return bytes;
}
