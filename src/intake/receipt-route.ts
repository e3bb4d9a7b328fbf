import { COUNTER, responseCounter, type ThreadCounts } from '../metrics/count.js';
import type { Status } from '../model/answers.js';
import { parseOrderId, type Receipt, type ReceiptLookup } from '../model/receipt.js';
import type { HttpReply, RequestHead } from './http.js';
import { replyNoReceipt, replyReceipt } from './reply.js';

/** `GET /orders/{id}`. Counted by status, but not in the duration histogram, which is for orders only. */
export class ReceiptRoute {
  readonly #receipts: ReceiptLookup;
  readonly #counts: ThreadCounts;

  constructor(receipts: ReceiptLookup, counts: ThreadCounts) {
    this.#receipts = receipts;
    this.#counts = counts;
  }

  readonly answer = (res: HttpReply, req: RequestHead): void => {
    const id = req.getParameter(0)!;
    const isHead = req.getMethod() === 'head';
    const place = parseOrderId(id);
    if (place === null) {
      this.#reply(res, id, 'unknown', isHead);
      return;
    }
    let isGone = false;
    res.onAborted(() => {
      isGone = true;
      this.#counts.add(COUNTER.abortedRequests);
    });
    const isPending = this.#receipts.lookUp(place, (receipt) => {
      if (!isGone) res.cork(() => this.#reply(res, id, receipt, isHead));
    });
    if (!isPending) this.#reply(res, id, null, isHead);
  };

  #reply(res: HttpReply, id: string, receipt: Receipt | null, isHead: boolean): void {
    if (receipt === null) replyNoReceipt(res, isHead);
    else replyReceipt(res, id, receipt, isHead);
    this.#counts.add(responseCounter(statusOf(receipt)));
  }
}

function statusOf(receipt: Receipt | null): Status {
  if (receipt === null) return 503;
  return receipt === 'unknown' ? 404 : 200;
}
