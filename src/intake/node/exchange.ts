import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HeaderName, HttpReply, RequestHead } from '../http.js';
import { type AnswerHead, answerHead, latin1 } from './answer-head.js';
import type { Connection, PendingExchange } from './connection.js';
import { type Refusal, refusalHeaders } from './refusal.js';

const TAKEN = [true, true] as const;
const NO_BYTES = new Uint8Array(0);
const OK: AnswerHead = { status: 200, reason: 'OK', headers: [], isLast: false };

/** A request of node:http and its answer. */
export class Exchange implements HttpReply, RequestHead, PendingExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly #connection: Connection;
  readonly #method: string;
  readonly #parameter: string;
  /** Whether the client waits for `100 Continue` before it sends the body. */
  readonly #awaitsContinue: boolean;
  #head: AnswerHead = OK;
  /** Answered or aborted. */
  #isOver = false;
  #isAnswered = false;
  #wantsBody = false;
  #onAborted: () => void = () => {};

  constructor(
    connection: Connection,
    request: IncomingMessage,
    response: ServerResponse,
    route: { readonly method: string; readonly parameter: string },
    awaitsContinue: boolean,
  ) {
    this.#connection = connection;
    this.request = request;
    this.response = response;
    this.#method = route.method;
    this.#parameter = route.parameter;
    this.#awaitsContinue = awaitsContinue;
    connection.add(this);
  }

  getMethod(): string {
    return this.#method;
  }

  getHeader(name: HeaderName): string {
    const wanted = name as string;
    const { rawHeaders } = this.request;
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const found = rawHeaders[i]!;
      if (found.length === wanted.length && found.toLowerCase() === wanted) {
        return rawHeaders[i + 1]!;
      }
    }
    return '';
  }

  forEach(read: (name: string, value: string) => void): void {
    const { rawHeaders } = this.request;
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const value = Buffer.from(rawHeaders[i + 1]!, 'latin1').toString('utf8');
      read(rawHeaders[i]!.toLowerCase(), value);
    }
  }

  /** The client was not told to send its body, so what it sends next may be the body or not. */
  get leavesBody(): boolean {
    return this.#awaitsContinue && !this.#wantsBody;
  }

  getParameter(): string {
    return this.#parameter;
  }

  writeStatus(status: string | Uint8Array): this {
    this.#head = answerHead(status);
    return this;
  }

  writeHeader(name: string, value: string): this {
    this.#head.headers.push(name, value);
    return this;
  }

  end(body: string | Uint8Array): void {
    const text = latin1(body);
    this.#head.headers.push('Content-Length', String(text.length));
    this.#send(text);
  }

  /** node:http itself stops reading from a client that does not read its answers. */
  tryEnd(body: Uint8Array): readonly [boolean, boolean] {
    this.end(body);
    return TAKEN;
  }

  /** Never needed: `tryEnd` takes all. */
  onWritable(): void {}

  endWithoutBody(): void {
    this.#send('');
  }

  /** node:http collects the pieces of an answer itself. */
  cork(write: () => void): void {
    write();
  }

  close(): void {
    this.#connection.closeAt(this);
  }

  onAborted(handler: () => void): void {
    this.#onAborted = handler;
  }

  onData(handler: (chunk: Uint8Array, isLast: boolean) => void): void {
    if (this.#awaitsContinue) this.response.writeContinue();
    this.#wantsBody = true;
    // Bytes of a body with a known length are complete before its end is announced. Without one, trailers can still be wrong.
    let missing = Number(this.getHeader('content-length') || Number.NaN);
    let hasEnded = false;
    // The parser gives the pieces to `push`. Events of the stream would cost a quarter of the time of an order.
    this.request.push = (chunk: Uint8Array | null) => {
      if (chunk !== null) missing -= chunk.byteLength;
      if (hasEnded || this.#isOver) return true;
      hasEnded = chunk === null || missing === 0;
      handler(chunk ?? NO_BYTES, hasEnded);
      return true;
    };
  }

  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onAborted();
  }

  refuse(refusal: Refusal): boolean {
    if (this.#isAnswered) return false;
    this.abort();
    this.#isAnswered = true;
    this.#connection.remove(this);
    this.response
      .writeHead(refusal.status, refusal.reason, refusalHeaders(refusal))
      .end(refusal.body);
    return true;
  }

  /** Never before the answers to later requests, whose orders may be kept: node:http would not send them. */
  #endConnection(headers: string[]): void {
    if (this.#connection.isNewest(this)) this.#connection.takeNoMore();
    else headers.splice(headers.indexOf('Connection'), 2);
  }

  /** @param body a character for each byte */
  #send(body: string): void {
    this.#isOver = true;
    this.#isAnswered = true;
    this.#connection.remove(this);
    const { status, reason, headers, isLast } = this.#head;
    if (isLast) this.#endConnection(headers);
    const response: ServerResponse & { _header?: string } = this.response;
    response.writeHead(status, reason, headers);
    response._header += body;
    response.end();
  }
}
