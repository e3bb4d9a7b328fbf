import type { KeyTable } from '../memory/key-table.js';
import type { KeyedClient, KeyedWaiter } from '../model/stages.js';
import { digestText } from './key-words.js';

/** What attempts of one thread share. */
export interface AttemptParts {
  readonly table: KeyTable;
  readonly nowNs: () => number;
}

/**
 * One client's try to place an order under a key. Once the key is its own it waits for the frame, and
 * tells the table what became of the order before it tells the client: whoever comes after that answer
 * finds the key remembered, in any thread.
 */
export class KeyedAttempt implements KeyedWaiter {
  readonly key: string;
  /** See `KeyHasher.wordsOf`. */
  readonly words: Int32Array;
  readonly client: KeyedClient;
  /** When it ends, whether the key is free by then or not. */
  readonly deadlineNs: number;
  /** The compact order with its line end, once it has to wait for others; null before. */
  line: Uint8Array | null = null;
  readonly #parts: AttemptParts;
  #frameId = '';
  #index = 0;

  constructor(parts: AttemptParts, key: string, words: Int32Array, client: KeyedClient) {
    this.#parts = parts;
    this.key = key;
    this.words = words;
    this.client = client;
    this.deadlineNs = parts.nowNs() + parts.table.shape.pendingNs;
  }

  get digest(): string {
    return digestText(this.words);
  }

  placed(frameId: string, index: number): void {
    this.#frameId = frameId;
    this.#index = index;
    this.#parts.table.place(this.words, frameId, index);
  }

  accepted(frameId: string, index: number): void {
    this.keptAfterAll();
    this.client.accepted(frameId, index);
  }

  refused(): void {
    this.refusedAfterAll();
    this.client.refused();
  }

  ambiguous(): void {
    const { table, nowNs } = this.#parts;
    table.doubt(this.words, this.#frameId, this.#index, nowNs());
    this.client.ambiguous();
  }

  keptAfterAll(): void {
    const { table, nowNs } = this.#parts;
    table.keep(this.words, this.#frameId, this.#index, nowNs());
  }

  refusedAfterAll(): void {
    this.#parts.table.free(this.words, this.#frameId, this.#index);
  }
}
