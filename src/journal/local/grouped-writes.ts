import type { LocalStore } from './local-store.js';

interface Waiting {
  readonly writes: () => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit for what nobody waits for: while one transaction is under way, the writes that come in
 * gather, and go together in the next. Each transaction costs a flush and holds LMDB's one write lock
 * meanwhile, so settling frame by frame would take that time from the commits that clients wait for.
 */
export class GroupedWrites {
  readonly #store: LocalStore;
  #gathered: Waiting[] = [];
  #isUnderWay = false;

  constructor(store: LocalStore) {
    this.#store = store;
  }

  /** Resolves when the writes are durable; rejects when none of its group's were made. */
  write(writes: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#gathered.push({ writes, resolve, reject });
      if (!this.#isUnderWay) void this.#writeGroups();
    });
  }

  async #writeGroups(): Promise<void> {
    this.#isUnderWay = true;
    while (this.#gathered.length > 0) {
      const group = this.#gathered;
      this.#gathered = [];
      try {
        await this.#store.write(() => {
          for (const { writes } of group) writes();
        });
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#isUnderWay = false;
  }
}
