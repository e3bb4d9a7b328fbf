import type { PlacedReceipt, ReceiptQuery, ReceiptReply } from '../../src/model/receipt.js';

/** Looks up the status of the order `<frameId>-<index>` in the journal. */
export type FindReceipt = (frameId: string, index: number) => Promise<PlacedReceipt>;

/**
 * Queries of one intake thread that are looked up at the same time. The thread has no more than that open, but it gives
 * up on slow queries and sends others.
 */
const PENDING_MAX = 1000;

/** The drain thread's end of an intake thread's `ReceiptQueries`. The replies of one event-loop turn are sent as one message. */
export class ReceiptReplies {
  readonly #find: FindReceipt;
  readonly #send: (replies: readonly ReceiptReply[]) => void;
  #pending = 0;
  #unsent: ReceiptReply[] = [];

  constructor(find: FindReceipt, send: (replies: readonly ReceiptReply[]) => void) {
    this.#find = find;
    this.#send = send;
  }

  reply(queries: readonly ReceiptQuery[]): void {
    for (const query of queries) void this.#replyTo(query);
  }

  async #replyTo({ sequence, frameId, index }: ReceiptQuery): Promise<void> {
    let receipt: PlacedReceipt | null = null;
    if (this.#pending < PENDING_MAX) {
      this.#pending++;
      try {
        receipt = await this.#find(frameId, index);
      } catch {
        // The journal does not answer: the reply is null.
      }
      this.#pending--;
    }
    if (this.#unsent.length === 0) setImmediate(() => this.#flush());
    this.#unsent.push({ sequence, receipt });
  }

  #flush(): void {
    const replies = this.#unsent;
    this.#unsent = [];
    this.#send(replies);
  }
}
