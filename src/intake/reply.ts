import { type Answer, answers } from '../model/answers.js';
import type { Receipt } from '../model/receipt.js';
import type { HttpReply } from './http.js';

/** `Retry-After` of a 503, in seconds. A busy journal, or the queue in front of it, usually clears within about a second. */
const RETRY_AFTER_S = '1';

/** Every function and method here must run in the first segment of a route handler or inside `cork`, see uWebSockets.js. */
export function reply(res: HttpReply, answer: Answer): void {
  head(res, answer).end(answer.body);
}

export function replyInvalid(res: HttpReply, fault: string): void {
  head(res, answers.invalid).writeHeader('x-invalid', fault).end(answers.invalid.body);
}

/** With `andClose` the connection ends after the answer, because the server is stopping. */
export function replyBusy(res: HttpReply, andClose: boolean): void {
  head(res, answers.busy)
    .writeHeader('Retry-After', RETRY_AFTER_S)
    .end(answers.busy.body, andClose);
}

export function replyMethodNotAllowed(res: HttpReply, allow: string, isHead: boolean): void {
  const { body } = answers.methodNotAllowed;
  endFor(head(res, answers.methodNotAllowed).writeHeader('Allow', allow), body, isHead);
}

export function replyNotFound(res: HttpReply, isHead: boolean): void {
  endFor(head(res, answers.notFound), answers.notFound.body, isHead);
}

/** The status of an order; 404 with its own body if the order is unknown. */
export function replyReceipt(res: HttpReply, id: string, receipt: Receipt, isHead: boolean): void {
  if (receipt === 'unknown') res.writeStatus(answers.notFound.statusLine);
  res.writeHeader('Content-Type', 'application/json');
  endFor(res, JSON.stringify({ id, status: receipt }), isHead);
}

export function replyNoReceipt(res: HttpReply, isHead: boolean): void {
  head(res, answers.busy).writeHeader('Retry-After', RETRY_AFTER_S);
  endFor(res, answers.busy.body, isHead);
}

function head(res: HttpReply, answer: Answer): HttpReply {
  return res.writeStatus(answer.statusLine).writeHeader('Content-Type', 'application/json');
}

/**
 * An answer to HEAD announces the length of a body but does not carry it (RFC 9110, 9.3.2). The header is written here
 * because `endWithoutBody(length)` of uWebSockets.js waits for that body.
 */
function endFor(res: HttpReply, body: string, isHead: boolean): void {
  if (isHead) res.writeHeader('Content-Length', String(Buffer.byteLength(body))).endWithoutBody();
  else res.end(body);
}

const encoder = new TextEncoder();
const CREATED_BODY = encoder.encode(answers.created.body);
/** Status line and headers go to uWebSockets.js in one call: each further call, and each string, costs as much as this one. */
const BEFORE_ID = encoder.encode(
  `${answers.created.statusLine}\r\nContent-Type: application/json\r\nx-order-id: `,
);
/** Digits of an order's position: `--frame-orders-max` allows four. */
const DIGITS_MAX = 5;
const HYPHEN = 0x2d;
const ZERO = 0x30;

/**
 * The answer to an accepted order, written from prebuilt bytes. For a string, uWebSockets.js counts the bytes, allocates
 * memory and copies them, three times per answer. The answers of one frame differ only in the last digits.
 */
export class CreatedReply {
  /** Status line and headers by number of digits of the position, less one. */
  #heads: readonly Uint8Array[] = [];
  #frameId = '';

  write(res: HttpReply, frameId: string, position: number): void {
    this.#writeHead(res, frameId, position).end(CREATED_BODY);
  }

  /** The first answer again, with the header `idempotent-replay`. */
  writeReplayed(res: HttpReply, frameId: string, position: number): void {
    this.#writeHead(res, frameId, position)
      .writeHeader('idempotent-replay', 'true')
      .end(CREATED_BODY);
  }

  #writeHead(res: HttpReply, frameId: string, position: number): HttpReply {
    if (frameId !== this.#frameId) this.#setFrame(frameId);
    const head = this.#heads[digitsOf(position) - 1]!;
    for (let i = head.length - 1, rest = position; head[i] !== HYPHEN; i--) {
      head[i] = ZERO + (rest % 10);
      rest = (rest / 10) | 0;
    }
    return res.writeStatus(head);
  }

  #setFrame(frameId: string): void {
    const { length } = this.#frameId;
    this.#frameId = frameId;
    if (frameId.length !== length) this.#heads = headsFor(frameId.length);
    for (const head of this.#heads) {
      for (let i = 0; i < frameId.length; i++) head[BEFORE_ID.length + i] = frameId.charCodeAt(i);
    }
  }
}

function headsFor(idChars: number): Uint8Array[] {
  return Array.from({ length: DIGITS_MAX }, (_, digits) => {
    const head = new Uint8Array(BEFORE_ID.length + idChars + 1 + digits + 1);
    head.set(BEFORE_ID);
    head[BEFORE_ID.length + idChars] = HYPHEN;
    return head;
  });
}

function digitsOf(position: number): number {
  if (position < 10) return 1;
  if (position < 100) return 2;
  if (position < 1000) return 3;
  return position < 10_000 ? 4 : DIGITS_MAX;
}
