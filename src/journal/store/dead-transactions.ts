import type { LocalStore } from './local-store.js';

interface Waiting {
  readonly work: () => boolean;
  readonly resolve: (result: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Changes that depend on what is there, so that no two processes make the same: what is asked for in one
 * turn of the event loop shares one write transaction, and one flush.
 */
export class DeadTransactions {
  readonly #store: LocalStore;
  #waiting: Waiting[] = [];

  constructor(store: LocalStore) {
    this.#store = store;
  }

  /** Resolves when what `work` wrote is durable, with what it returned. */
  run(work: () => boolean): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ work, resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => this.#transact());
    });
  }

  #transact(): void {
    const group = this.#waiting;
    this.#waiting = [];
    try {
      const results = this.#store.transact(() => group.map(({ work }) => work()));
      for (const [i, { resolve }] of group.entries()) resolve(results[i]!);
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }
}
