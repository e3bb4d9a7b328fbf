import type { LocalStore } from './local-store.js';

/** Time between two transactions when there are few writes; writes within it share a transaction. */
const GAP_MS = 10;

/**
 * The most that goes into one transaction, plus one more item: LMDB writes it to the spare pages, which are limited
 * (disk-space.ts).
 */
export const GROUP_BYTES_MAX = 2 * 1024 ** 2;

interface Waiting {
  readonly writes: () => void;
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit for writes that no client waits for. Each transaction costs two flushes and holds LMDB's only write
 * lock, so the first write after a rest is made at once, and those that follow are gathered for a moment, or until
 * there are `groupWrites` of them.
 */
export class GroupedWrites {
  readonly #store: LocalStore;
  readonly #groupWrites: number;
  #gathered: Waiting[] = [];
  #isUnderWay = false;
  #endedTickMs = Number.NEGATIVE_INFINITY;
  #onGroup: (() => void) | null = null;

  /** @param groupWrites this many are written without waiting for more */
  constructor(store: LocalStore, groupWrites = 1) {
    this.#store = store;
    this.#groupWrites = groupWrites;
  }

  /**
   * Resolves when the writes are durable; rejects when no write of the group was made.
   * @param bytes how much they put into the tables, when that can be as much as a frame
   */
  write(writes: () => void, bytes = 0): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#gathered.push({ writes, bytes, resolve, reject });
      if (!this.#isUnderWay) void this.#writeGroups();
      else if (this.#gathered.length >= this.#groupWrites) this.#onGroup?.();
    });
  }

  async #writeGroups(): Promise<void> {
    this.#isUnderWay = true;
    while (this.#gathered.length > 0) {
      if (this.#gathered.length < this.#groupWrites) await this.#gap();
      const group = this.#gathered.splice(0, this.#groupLength());
      try {
        await this.#store.write(() => {
          for (const { writes } of group) writes();
        });
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
      this.#endedTickMs = performance.now();
    }
    this.#isUnderWay = false;
  }

  #groupLength(): number {
    let bytes = 0;
    const over = this.#gathered.findIndex((waiting) => {
      bytes += waiting.bytes;
      return bytes >= GROUP_BYTES_MAX;
    });
    return over === -1 ? this.#gathered.length : over + 1;
  }

  /** Waits for the rest of the time since the last transaction, or until a group is complete. */
  async #gap(): Promise<void> {
    const restMs = this.#endedTickMs + GAP_MS - performance.now();
    if (restMs <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, restMs);
      this.#onGroup = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#onGroup = null;
  }
}
