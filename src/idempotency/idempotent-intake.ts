import { RESERVATION } from '../memory/key-table.js';
import { COUNTER, type ThreadCounts } from '../metrics/count.js';
import { KEY_IN_BODY, keyOfOwner } from '../model/idempotency-key.js';
import { LineWithHeaders, orderIn } from '../model/kept-headers.js';
import type { ReceiptLookup } from '../model/receipt.js';
import type {
  BodyValidator,
  Committer,
  KeyedBatchClient,
  KeyedClient,
  KeyedIntake,
  OrderBatch,
} from '../model/stages.js';
import { KeyHasher } from './key-hasher.js';
import {
  KeyedBatchRequest,
  KeyedOrderRequest,
  type KeyedRequest,
  type KeyedRequestParts,
} from './keyed-request.js';

export interface IdempotentIntakeParts extends KeyedRequestParts {
  /** Not shared with another stage: between `validate` and the commit it must keep the same order. */
  readonly validator: BodyValidator;
  readonly committer: Committer;
  readonly receipts: ReceiptLookup;
  readonly counts: ThreadCounts;
  /** The key in an order, see `KEY_IN_BODY`; null if orders have none. */
  readonly keyIn: ((order: Uint8Array) => string) | null;
  /** Upper bound of a body, and so of its compact form. */
  readonly bodyBytesMax: number;
}

/** Interval at which waiting requests check whether their key has been settled. */
const POLL_MS = 5;
/** Waiting requests of one thread. A check of that many takes about a millisecond. */
const WAITING_MAX = 4096;
/** Memory of their orders. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024;
const LINE_END_BYTES = 1;
/** Value of `x-invalid` for an order whose key, at the pointer of `--idempotency-from`, is empty. */
const KEY_MISSING = 'idempotency-from';

/**
 * Handles orders with an idempotency key, between validation and commit. A request reserves its key in the table that
 * all threads share; then the order is committed like any other. If the key is reserved by an order that is not settled
 * yet, the request waits. Then it gets the same answer, or reserves the key itself.
 */
export class IdempotentIntake implements KeyedIntake {
  readonly #parts: IdempotentIntakeParts;
  readonly #hasher: KeyHasher;
  readonly #line: Uint8Array;
  readonly #lineWithHeaders = new LineWithHeaders();
  readonly #waiting = new Set<KeyedRequest>();
  #waitingBytes = 0;
  /** Requests that wait for a receipt. */
  #lookups = 0;
  #poll: NodeJS.Timeout | null = null;
  #isStopping = false;
  #onEmpty: (() => void) | null = null;

  constructor(parts: IdempotentIntakeParts) {
    this.#parts = parts;
    this.#hasher = new KeyHasher(parts.table.shape.seeds);
    this.#line = new Uint8Array(parts.bodyBytesMax + LINE_END_BYTES);
  }

  take(key: string, bytes: Uint8Array, length: number, client: KeyedClient): string {
    const { validator } = this.#parts;
    if (!validator.validate(bytes, 0, length)) return validator.fault;
    const lineEnd = validator.writeTo(this.#line, 0);
    const found =
      key === KEY_IN_BODY ? this.#parts.keyIn!(this.#line.subarray(0, lineEnd - 1)) : key;
    if (found === '') return KEY_MISSING;
    const owned = keyOfOwner(client.owner, found);
    const canonical = validator.canonicalForm();
    const words =
      canonical === null
        ? this.#hasher.hash(owned, this.#line, lineEnd - 1)
        : this.#hasher.hash(owned, canonical, canonical.length);
    const request = new KeyedOrderRequest(this.#parts, owned, words, client);
    if (!this.#advance(request)) this.#wait(request, this.#line.subarray(0, lineEnd));
    return '';
  }

  takeBatch(
    key: string,
    batch: OrderBatch,
    canonical: readonly (Uint8Array | null)[],
    client: KeyedBatchClient,
  ): void {
    const owned = keyOfOwner(client.owner, key);
    const words = this.#hasher.hashBatch(owned, canonicalOrders(batch, canonical));
    const request = new KeyedBatchRequest(this.#parts, owned, words, client, batch);
    if (!this.#advance(request)) this.#wait(request, batch.bytes.subarray(0, batch.length));
  }

  /** Hands no more orders to the committer. Resolves when no request waits here; orders in the committer do not count. */
  async drained(): Promise<void> {
    this.#isStopping = true;
    if (this.#waiting.size + this.#lookups === 0) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  /** False if the request has to wait, because its key is reserved by an order that is not settled yet. */
  #advance(request: KeyedRequest): boolean {
    const { table, nowNs, counts } = this.#parts;
    const { client } = request;
    switch (table.reserve(request.words, nowNs())) {
      case RESERVATION.acquired:
        this.#commit(request);
        return true;
      case RESERVATION.pending:
        return false;
      case RESERVATION.replay:
        counts.add(COUNTER.idempotentReplays);
        client.replayed(table.foundFrameId, table.foundPosition);
        return true;
      case RESERVATION.conflict:
        client.keyReused();
        return true;
      case RESERVATION.unknown:
        this.#lookUp(request, table.foundFrameId, table.foundPosition);
        return true;
      default:
        counts.add(COUNTER.idempotencyRefused);
        client.refused();
        return true;
    }
  }

  /** Called when the request has reserved its key. */
  #commit(request: KeyedRequest): void {
    const { client } = request;
    const isWanted = !this.#isStopping && !client.isGone;
    if (isWanted && this.#isTaken(request)) return;
    this.#parts.table.cancel(request.words);
    client.refused();
  }

  #isTaken(request: KeyedRequest): boolean {
    const { validator, committer } = this.#parts;
    if (request instanceof KeyedBatchRequest) {
      return committer.takeKeyedBatch(request.batch, request);
    }
    const { line, client } = request;
    // A request that did not wait is the one that the validator checked last.
    if (line !== null) validator.validate(line, 0, line.length - 1);
    return committer.takeKeyed(this.#lineWithHeaders.of(validator, client.kept), request);
  }

  /**
   * The outcome of the key's order is unknown. If the journal has the order by now, the key is remembered like any
   * other. If not, the order may still arrive there, so the key stays reserved.
   */
  #lookUp(request: KeyedRequest, frameId: string, index: number): void {
    const { receipts, table, nowNs } = this.#parts;
    const onReceipt = (receipt: { readonly status: string } | null) => {
      this.#lookups--;
      if (receipt === null || receipt.status === 'unknown') {
        request.client.refused();
      } else {
        table.confirm(request.words, frameId, index, nowNs());
        // The table decides whether it is the same order or another one.
        if (!this.#advance(request)) request.client.refused();
      }
      this.#checkEmpty();
    };
    this.#lookups++;
    if (frameId !== '' && receipts.lookUp({ frameId, index }, onReceipt)) return;
    this.#lookups--;
    request.client.refused();
  }

  /** @param lines of the order or the batch, with line ends */
  #wait(request: KeyedRequest, lines: Uint8Array): void {
    const isFull = this.#waitingBytes + lines.length > WAITING_BYTES_MAX;
    if (isFull || this.#waiting.size >= WAITING_MAX) {
      this.#parts.counts.add(COUNTER.idempotencyRefused);
      request.client.refused();
      return;
    }
    request.keep(lines.slice());
    this.#waiting.add(request);
    this.#waitingBytes += lines.length;
    this.#poll ??= setInterval(() => this.#checkWaiting(), POLL_MS);
  }

  #checkWaiting(): void {
    const now = this.#parts.nowNs();
    for (const request of this.#waiting) {
      const { client, deadlineNs } = request;
      if (client.isGone || deadlineNs <= now) {
        this.#forget(request);
        client.refused();
      } else if (this.#advance(request)) {
        this.#forget(request);
      }
    }
    if (this.#waiting.size > 0) return;
    clearInterval(this.#poll!);
    this.#poll = null;
    this.#checkEmpty();
  }

  #forget(request: KeyedRequest): void {
    this.#waiting.delete(request);
    this.#waitingBytes -= request.keptBytes;
  }

  #checkEmpty(): void {
    if (this.#waiting.size + this.#lookups === 0) this.#onEmpty?.();
  }
}

const LINE_FEED = 0x0a;

/** The canonical form of each order of a batch. */
function canonicalOrders(
  { bytes, length }: OrderBatch,
  canonical: readonly (Uint8Array | null)[],
): Uint8Array[] {
  const orders: Uint8Array[] = [];
  for (let start = 0; start < length; ) {
    const end = bytes.indexOf(LINE_FEED, start);
    orders.push(canonical[orders.length] ?? orderIn(bytes.subarray(start, end)));
    start = end + 1;
  }
  return orders;
}
