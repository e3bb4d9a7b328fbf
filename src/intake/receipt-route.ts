import { COUNTER, responseCounter, type ThreadCounts } from '../metrics/count.js';
import type { Status } from '../model/answers.js';
import { type PlacedReceipt, parseOrderId, type ReceiptLookup } from '../model/receipt.js';
import type { RepliesTo } from './cors.js';
import type { HttpReply, RequestHead } from './http.js';
import type { Replies } from './reply.js';
import type { ExtrasReader } from './request-extras.js';

/** `GET {path}/{id}`. Counted by status, but not in the duration histogram, which is for orders only. */
export class ReceiptRoute {
  readonly #receipts: ReceiptLookup;
  readonly #counts: ThreadCounts;
  readonly #repliesTo: RepliesTo;
  readonly #extras: ExtrasReader | null;

  /** @param extras null if no option about senders is on */
  constructor(
    receipts: ReceiptLookup,
    counts: ThreadCounts,
    repliesTo: RepliesTo,
    extras: ExtrasReader | null,
  ) {
    this.#extras = extras;
    this.#receipts = receipts;
    this.#counts = counts;
    this.#repliesTo = repliesTo;
  }

  readonly answer = (res: HttpReply, req: RequestHead): void => {
    const id = req.getParameter(0)!;
    const isHead = req.getMethod() === 'head';
    const replies = this.#repliesTo(req);
    if (this.#extras?.hasKeys && this.#extras.senderOf(req) === null) {
      this.#counts.add(responseCounter(401));
      replies.unauthorized(res, 'Bearer', isHead);
      return;
    }
    const reply = (receipt: PlacedReceipt | null) => this.#reply(res, replies, id, receipt, isHead);
    const place = parseOrderId(id);
    if (place === null) {
      reply(UNKNOWN);
      return;
    }
    let isGone = false;
    res.onAborted(() => {
      isGone = true;
      this.#counts.add(COUNTER.abortedRequests);
    });
    const isPending = this.#receipts.lookUp(place, (receipt) => {
      if (!isGone) res.cork(() => reply(receipt));
    });
    if (!isPending) reply(null);
  };

  #reply(
    res: HttpReply,
    replies: Replies,
    id: string,
    receipt: PlacedReceipt | null,
    isHead: boolean,
  ): void {
    this.#counts.add(responseCounter(statusOf(receipt)));
    if (receipt === null) replies.noReceipt(res, isHead);
    else replies.receipt(res, id, receipt, isHead);
  }
}

const UNKNOWN: PlacedReceipt = { status: 'unknown', ahead: null, byMs: null };

function statusOf(receipt: PlacedReceipt | null): Status {
  if (receipt === null) return 503;
  return receipt.status === 'unknown' ? 404 : 200;
}
