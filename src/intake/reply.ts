import type { HttpResponse } from 'uWebSockets.js';
import type { Answer } from '../model/answers.js';
import { answers } from '../model/answers.js';
import type { Receipt } from '../model/receipt.js';

/** `Retry-After` of a 503, seconds: the journal or the queue in front of it clears in that order of time. */
const RETRY_AFTER_S = '1';

/** Each of these must run inside the route handler's first segment or a `cork`, see uWebSockets.js. */
export function reply(res: HttpResponse, answer: Answer): void {
  head(res, answer).end(answer.body);
}

export function replyInvalid(res: HttpResponse, fault: string): void {
  head(res, answers.invalid).writeHeader('x-invalid', fault).end(answers.invalid.body);
}

/** With `andClose` the connection ends after the answer: a server that stops wants no more of it. */
export function replyBusy(res: HttpResponse, andClose: boolean): void {
  head(res, answers.busy)
    .writeHeader('Retry-After', RETRY_AFTER_S)
    .end(answers.busy.body, andClose);
}

export function replyMethodNotAllowed(res: HttpResponse, allow: string, isHead: boolean): void {
  const { body } = answers.methodNotAllowed;
  endFor(head(res, answers.methodNotAllowed).writeHeader('Allow', allow), body, isHead);
}

export function replyNotFound(res: HttpResponse, isHead: boolean): void {
  endFor(head(res, answers.notFound), answers.notFound.body, isHead);
}

/** What became of an order; 404 with a body of its own when nobody knows it. */
export function replyReceipt(
  res: HttpResponse,
  id: string,
  receipt: Receipt,
  isHead: boolean,
): void {
  if (receipt === 'unknown') res.writeStatus(answers.notFound.statusLine);
  res.writeHeader('Content-Type', 'application/json');
  endFor(res, JSON.stringify({ id, status: receipt }), isHead);
}

export function replyNoReceipt(res: HttpResponse, isHead: boolean): void {
  head(res, answers.busy).writeHeader('Retry-After', RETRY_AFTER_S);
  endFor(res, answers.busy.body, isHead);
}

function head(res: HttpResponse, answer: Answer): HttpResponse {
  return res.writeStatus(answer.statusLine).writeHeader('Content-Type', 'application/json');
}

/**
 * An answer to HEAD announces the length of a body that it must not carry (RFC 9110, 9.3.2). The header
 * is written here because `endWithoutBody(length)` of uWebSockets.js waits for that body.
 */
function endFor(res: HttpResponse, body: string, isHead: boolean): void {
  if (isHead) res.writeHeader('Content-Length', String(Buffer.byteLength(body))).endWithoutBody();
  else res.end(body);
}
