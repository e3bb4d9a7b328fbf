import type { HttpResponse } from 'uWebSockets.js';
import { answers } from '../contract/answers.js';

const encoder = new TextEncoder();
const CONTENT_TYPE = encoder.encode('Content-Type');
const BODY = encoder.encode(answers.created.body);
/** Two headers in one call: uWebSockets.js writes what it is given, and each call into it costs as much as the text. */
const BEFORE_ID = encoder.encode('application/json\r\nx-order-id: ');
/** `--frame-orders-max` allows positions of four. */
const DIGITS_MAX = 5;

/**
 * The answer to an accepted order, written from bytes that are there already: of a string, uWebSockets.js counts the
 * bytes, allocates room and copies them, three times an answer. All orders of a frame share all but the last digits.
 */
export class CreatedReply {
  /** What stands in the header for an order whose position has so many digits; by that number, less one. */
  #headers: readonly Uint8Array[] = [];
  #frameId = '';

  /** Must run inside the route handler's first segment or a `cork`, see uWebSockets.js. */
  write(res: HttpResponse, frameId: string, position: number): void {
    if (frameId !== this.#frameId) this.#setFrame(frameId);
    const header = this.#headers[digitsOf(position) - 1]!;
    for (let i = header.length - 1, rest = position; header[i] !== HYPHEN; i--) {
      header[i] = ZERO + (rest % 10);
      rest = (rest / 10) | 0;
    }
    res.writeHeader(CONTENT_TYPE, header).end(BODY);
  }

  #setFrame(frameId: string): void {
    const { length } = this.#frameId;
    this.#frameId = frameId;
    if (frameId.length !== length) this.#headers = headersFor(frameId.length);
    for (const header of this.#headers) {
      for (let i = 0; i < frameId.length; i++) header[BEFORE_ID.length + i] = frameId.charCodeAt(i);
    }
  }
}

const HYPHEN = 0x2d;
const ZERO = 0x30;

function headersFor(idChars: number): Uint8Array[] {
  return Array.from({ length: DIGITS_MAX }, (_, digits) => {
    const header = new Uint8Array(BEFORE_ID.length + idChars + 1 + digits + 1);
    header.set(BEFORE_ID);
    header[BEFORE_ID.length + idChars] = HYPHEN;
    return header;
  });
}

function digitsOf(position: number): number {
  if (position < 10) return 1;
  if (position < 100) return 2;
  if (position < 1000) return 3;
  return position < 10_000 ? 4 : DIGITS_MAX;
}
