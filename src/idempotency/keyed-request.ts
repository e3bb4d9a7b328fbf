import type { KeyTable } from '../memory/key-table.js';
import type {
  KeyedBatchClient,
  KeyedBatchWaiter,
  KeyedClient,
  KeyedWaiter,
  OrderBatch,
  Replayed,
  Waiter,
} from '../model/stages.js';
import { digestText } from './key-hasher.js';

/** What the requests of one thread share. */
export interface KeyedRequestParts {
  readonly table: KeyTable;
  readonly nowNs: () => number;
}

export type KeyedRequest = KeyedOrderRequest | KeyedBatchRequest;

/**
 * One request with an idempotency key. When its order is settled, it updates the table before it answers the client: a
 * request that arrives after that answer finds the key in any thread.
 */
abstract class Keyed<Client extends Waiter & Replayed> implements KeyedWaiter {
  readonly key: string;
  /** See `KeyHasher.hash`. */
  readonly words: Int32Array;
  readonly client: Client;
  /** When the request stops waiting for the key. */
  readonly deadlineNs: number;
  /** Bytes of what `keep` was given. */
  keptBytes = 0;
  readonly #parts: KeyedRequestParts;
  #frameId = '';
  #index = 0;

  constructor(parts: KeyedRequestParts, key: string, words: Int32Array, client: Client) {
    this.#parts = parts;
    this.key = key;
    this.words = words;
    this.client = client;
    this.deadlineNs = parts.nowNs() + parts.table.shape.pendingNs;
  }

  /** The request has to wait. @param lines its own copy of the order or the batch, with line ends */
  keep(lines: Uint8Array): void {
    this.keptBytes = lines.length;
  }

  get digest(): string {
    return digestText(this.words);
  }

  get isGone(): boolean {
    return this.client.isGone;
  }

  placed(frameId: string, index: number): void {
    const { table } = this.#parts;
    if (this.#frameId === '') table.setPlace(this.words, frameId, index);
    else table.movePlace(this.words, frameId, this.#index, index);
    this.#frameId = frameId;
    this.#index = index;
  }

  accepted(frameId: string, index: number): void {
    this.acceptedLate();
    this.client.accepted(frameId, index);
  }

  refused(): void {
    this.refusedLate();
    this.client.refused();
  }

  ambiguous(): void {
    const { table, nowNs } = this.#parts;
    table.markUnknown(this.words, this.#frameId, this.#index, nowNs());
    this.client.ambiguous();
  }

  acceptedLate(): void {
    const { table, nowNs } = this.#parts;
    table.confirm(this.words, this.#frameId, this.#index, nowNs());
  }

  refusedLate(): void {
    this.#parts.table.release(this.words, this.#frameId, this.#index);
  }
}

export class KeyedOrderRequest extends Keyed<KeyedClient> {
  /** The compact order with its line end, if the request had to wait; else null. */
  line: Uint8Array | null = null;

  override keep(line: Uint8Array): void {
    super.keep(line);
    this.line = line;
  }
}

/** The key has the place of the first order of the batch. */
export class KeyedBatchRequest extends Keyed<KeyedBatchClient> implements KeyedBatchWaiter {
  batch: OrderBatch;

  constructor(
    parts: KeyedRequestParts,
    key: string,
    words: Int32Array,
    client: KeyedBatchClient,
    batch: OrderBatch,
  ) {
    super(parts, key, words, client);
    this.batch = batch;
  }

  override keep(lines: Uint8Array): void {
    super.keep(lines);
    this.batch = { bytes: lines, length: lines.length, count: this.batch.count };
  }

  /** The key is free again, so the same batch can be sent once more. */
  acceptedInPart(frameId: string, index: number, failed: readonly number[]): void {
    this.refusedLate();
    this.client.acceptedInPart(frameId, index, failed);
  }
}
