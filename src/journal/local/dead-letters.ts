import type { DeadLetterStore, StoredDeadLetter } from '../../model/dead-letters.js';
import { EXIT, OperatorFault } from '../../model/fault.js';
import { decodeDeadLetter, replayFrame } from '../frame/dead-letter.js';
import type { SourceParts } from '../source-handle.js';
import { countReplayed } from '../store/dead-letter-rows.js';
import { putLater } from '../store/frame-rows.js';
import type { LocalStore } from '../store/local-store.js';
import { recordLetterSteps } from '../store/receipt-rows.js';

export type LocalDeadLettersParts = Pick<SourceParts, 'newFrameId' | 'log'>;

/**
 * Rows read at a time. One cursor for all is not an option: while it is open, LMDB reuses no page that the server
 * frees, and the reader may pause for hours.
 */
const PAGE_ROWS = 256;

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
    let start: Buffer | null = null;
    for (;;) {
      const rows = this.#page(start);
      for (const { key, record } of rows) {
        const letter = this.#decode(key.toString('latin1'), record);
        if (letter !== null) yield letter;
      }
      if (rows.length < PAGE_ROWS) return;
      // The lowest key that sorts behind the last one.
      start = Buffer.concat([rows.at(-1)!.key, Buffer.from([0])]);
    }
  }

  async find(orderId: string): Promise<StoredDeadLetter | null> {
    this.#store.refresh();
    return this.#read(orderId);
  }

  replay(orderId: string): Promise<boolean> {
    return this.#change(() => {
      const letter = this.#read(orderId);
      if (letter === null) return false;
      const frame = replayFrame(letter, this.#parts.newFrameId());
      putLater(this.#store, frame);
      this.#store.dead.remove(keyOf(orderId));
      recordLetterSteps(this.#store, { replayed: [orderId], dropped: [] });
      countReplayed(this.#store);
      return true;
    });
  }

  drop(orderId: string): Promise<boolean> {
    return this.#change(() => {
      if (!this.#store.dead.doesExist(keyOf(orderId))) return false;
      this.#store.dead.remove(keyOf(orderId));
      recordLetterSteps(this.#store, { replayed: [], dropped: [orderId] });
      return true;
    });
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #change(work: () => boolean): Promise<boolean> {
    try {
      return await this.#transactions.run(work);
    } catch (error) {
      const { message } = error as Error;
      throw new OperatorFault(`data folder ${this.#store.folder}: ${message}`, EXIT.failed);
    }
  }

  #page(start: Buffer | null): { key: Buffer; record: Buffer }[] {
    this.#store.refresh();
    const from = start === null ? {} : { start };
    const rows = this.#store.dead.getRange({ ...from, limit: PAGE_ROWS });
    return Array.from(rows, ({ key, value }) => ({ key: Buffer.from(key), record: value }));
  }

  #read(orderId: string): StoredDeadLetter | null {
    const record = this.#store.dead.getBinary(keyOf(orderId));
    return record === undefined ? null : this.#decode(orderId, record);
  }

  #decode(orderId: string, record: Buffer): StoredDeadLetter | null {
    try {
      return decodeDeadLetter(orderId, record);
    } catch (error) {
      const { message } = error as Error;
      this.#parts.log('letter-unreadable', `dead letter ${orderId} cannot be read: ${message}`);
      return null;
    }
  }
}

function keyOf(orderId: string): Buffer {
  return Buffer.from(orderId, 'latin1');
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
