import type { DeadLetterStore, StoredDeadLetter } from '../../model/dead-letters.js';
import { EXIT, OperatorFault } from '../../model/fault.js';
import { replayFrame } from '../frame/dead-letter.js';
import type { SourceParts } from '../source-handle.js';
import { countReplayed, deadKey, decodeDead } from '../store/dead-letter-rows.js';
import { putLater } from '../store/frame-rows.js';
import type { LocalStore } from '../store/local-store.js';
import { recordLetterSteps } from '../store/receipt-rows.js';
import { setAsideNames } from '../store/set-aside.js';
import { removeDead, rowsOf, unreadableRows } from '../store/unreadable-rows.js';

export type LocalDeadLettersParts = Pick<SourceParts, 'newFrameId' | 'log'>;

/** The dead letters of a local journal. The server may have the same journal open. */
export class LocalDeadLetters implements DeadLetterStore {
  readonly #store: LocalStore;
  readonly #parts: LocalDeadLettersParts;
  readonly #transactions: GroupedTransactions;

  constructor(store: LocalStore, parts: LocalDeadLettersParts) {
    this.#store = store;
    this.#parts = parts;
    this.#transactions = new GroupedTransactions(store);
  }

  async *list(): AsyncIterable<StoredDeadLetter> {
    for (const { key, value } of rowsOf(this.#store, 'dead')) {
      const letter = this.#decode(key, value);
      if (letter !== null) yield letter;
    }
    const entries =
      unreadableRows(this.#store) + setAsideNames(this.#store.folder, 'damaged').length;
    if (entries === 0) return;
    const text = `${entries} entries of the journal cannot be read: see forebay dlq unreadable`;
    this.#parts.log('frame-unreadable', text);
  }

  async find(orderId: string): Promise<StoredDeadLetter | null> {
    this.#store.refresh();
    return this.#read(orderId);
  }

  replay(orderId: string, schema: string, lastAtMs: number | null = null): Promise<boolean> {
    return this.#change(() => {
      const letter = this.#read(orderId);
      if (letter === null || (lastAtMs ?? letter.lastAtMs) !== letter.lastAtMs) return false;
      const frame = replayFrame(letter, this.#parts.newFrameId(), schema);
      putLater(this.#store, frame);
      this.#store.dead.remove(deadKey(orderId));
      recordLetterSteps(this.#store, { replayed: [orderId], dropped: [] });
      countReplayed(this.#store);
      return true;
    });
  }

  drop(orderId: string, lastAtMs: number | null = null): Promise<boolean> {
    return this.#change(() => {
      if (!this.#remove(orderId, lastAtMs)) return false;
      recordLetterSteps(this.#store, { replayed: [], dropped: [orderId] });
      return true;
    });
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  /** A damaged letter of the order, which was moved, stays if another one is meant. */
  #remove(orderId: string, lastAtMs: number | null): boolean {
    if (lastAtMs === null) return removeDead(this.#store, deadKey(orderId));
    if (this.#read(orderId)?.lastAtMs !== lastAtMs) return false;
    this.#store.dead.remove(deadKey(orderId));
    return true;
  }

  async #change(work: () => boolean): Promise<boolean> {
    try {
      return await this.#transactions.run(work);
    } catch (error) {
      const { message } = error as Error;
      throw new OperatorFault(`data folder ${this.#store.folder}: ${message}`, EXIT.failed);
    }
  }

  #read(orderId: string): StoredDeadLetter | null {
    const key = deadKey(orderId);
    const record = this.#store.dead.getBinary(key);
    return record === undefined ? null : this.#decode(key, record);
  }

  #decode(key: Buffer, record: Buffer): StoredDeadLetter | null {
    try {
      return decodeDead(key, record);
    } catch (error) {
      const { message } = error as Error;
      const orderId = key.toString('latin1');
      this.#parts.log('letter-unreadable', `dead letter ${orderId} cannot be read: ${message}`);
      return null;
    }
  }
}

interface Waiting {
  readonly work: () => boolean;
  readonly resolve: (result: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Runs changes that depend on what they read, so that no two processes make the same change. Changes requested in one
 * turn of the event loop share one write transaction and one flush.
 */
class GroupedTransactions {
  readonly #store: LocalStore;
  #waiting: Waiting[] = [];

  constructor(store: LocalStore) {
    this.#store = store;
  }

  /** Resolves with the result of `work` when what it wrote is durable. */
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
