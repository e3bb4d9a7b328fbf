import type { HttpResponse } from 'uWebSockets.js';
import { answers } from '../model/answers.js';

const encoder = new TextEncoder();
const BODY = encoder.encode(answers.created.body);
/** All in one call: uWebSockets.js writes what it is given, and each call into it, and each text, costs as much as this one. */
const BEFORE_ID = encoder.encode(
  `${answers.created.statusLine}\r\nContent-Type: application/json\r\nx-order-id: `,
);
/** `--frame-orders-max` allows positions of four. */
const DIGITS_MAX = 5;

/**
 * The answer to an accepted order, written from bytes that are there already: of a string, uWebSockets.js counts the
 * bytes, allocates room and copies them, three times an answer. All orders of a frame share all but the last digits.
 */
export class CreatedReply {
  /** Status line and headers of an order whose position has so many digits; by that number, less one. */
  #heads: readonly Uint8Array[] = [];
  #frameId = '';

  /** Must run inside the route handler's first segment or a `cork`, see uWebSockets.js. */
  write(res: HttpResponse, frameId: string, position: number): void {
    this.#writeHead(res, frameId, position).end(BODY);
  }

  /** The first answer again, and a header that says so. The same holds. */
  writeReplayed(res: HttpResponse, frameId: string, position: number): void {
    this.#writeHead(res, frameId, position).writeHeader('idempotent-replay', 'true').end(BODY);
  }

  #writeHead(res: HttpResponse, frameId: string, position: number): HttpResponse {
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

const HYPHEN = 0x2d;
const ZERO = 0x30;

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
