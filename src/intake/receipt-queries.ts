import { performance } from 'node:perf_hooks';
import type {
  OrderPlace,
  PlacedReceipt,
  ReceiptLookup,
  ReceiptQuery,
  ReceiptReply,
} from '../model/receipt.js';

/** Pending queries of one thread. */
const PENDING_MAX = 1000;
/** How long a query may stay pending. */
const REPLY_MS_MAX = 2000;
/** Interval of the check for expired queries. */
const EXPIRY_CHECK_MS = 100;

interface Pending {
  readonly onReceipt: (receipt: PlacedReceipt | null) => void;
  readonly askedMs: number;
}

/**
 * Asks the drain thread, which alone reads the journal, for the status of orders. The queries of one event-loop turn are
 * sent as one message.
 */
export class ReceiptQueries implements ReceiptLookup {
  readonly #send: (queries: readonly ReceiptQuery[]) => void;
  /** By sequence, so the oldest comes first. */
  readonly #pending = new Map<number, Pending>();
  #unsent: ReceiptQuery[] = [];
  #sequence = 0;
  #expiry: NodeJS.Timeout | null = null;

  constructor(send: (queries: readonly ReceiptQuery[]) => void) {
    this.#send = send;
  }

  lookUp(
    { frameId, index }: OrderPlace,
    onReceipt: (receipt: PlacedReceipt | null) => void,
  ): boolean {
    if (this.#pending.size >= PENDING_MAX) return false;
    const sequence = this.#sequence++;
    this.#pending.set(sequence, { onReceipt, askedMs: performance.now() });
    if (this.#unsent.length === 0) setImmediate(() => this.#flush());
    this.#unsent.push({ sequence, frameId, index });
    this.#expiry ??= setInterval(() => this.#expire(), EXPIRY_CHECK_MS);
    return true;
  }

  /** Replies from the drain thread. A reply to an expired query is ignored. */
  receive(replies: readonly ReceiptReply[]): void {
    for (const { sequence, receipt } of replies) this.#finish(sequence, receipt);
  }

  /** Ends all pending queries without a receipt. */
  close(): void {
    for (const sequence of this.#pending.keys()) this.#finish(sequence, null);
    clearInterval(this.#expiry ?? undefined);
  }

  #flush(): void {
    const queries = this.#unsent;
    this.#unsent = [];
    this.#send(queries);
  }

  #expire(): void {
    const askedBeforeMs = performance.now() - REPLY_MS_MAX;
    for (const [sequence, { askedMs }] of this.#pending) {
      if (askedMs > askedBeforeMs) return;
      this.#finish(sequence, null);
    }
    clearInterval(this.#expiry!);
    this.#expiry = null;
  }

  #finish(sequence: number, receipt: PlacedReceipt | null): void {
    const pending = this.#pending.get(sequence);
    this.#pending.delete(sequence);
    pending?.onReceipt(receipt);
  }
}
