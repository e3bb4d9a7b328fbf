import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HeaderName, HttpReply, RequestHead } from '../http.js';
import type { Connection, PendingExchange } from './connection.js';
import { type Refusal, refusalHeaders } from './refusal.js';

const TAKEN = [true, true] as const;
const NO_BYTES = new Uint8Array(0);
const { latin1Slice } = Buffer.prototype as Buffer & {
  latin1Slice(start: number, end: number): string;
};
/** The status code and the space behind it. */
const REASON_AT = 4;

/** A request of node:http and its answer. */
export class Exchange implements HttpReply, RequestHead, PendingExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly #connection: Connection;
  readonly #method: string;
  readonly #parameter: string;
  /** Whether the client waits for `100 Continue` before it sends the body. */
  readonly #awaitsContinue: boolean;
  #status = 200;
  #reason = 'OK';
  readonly #headers: string[] = [];
  /** Answered or aborted. */
  #isOver = false;
  #isAnswered = false;
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

  getParameter(): string {
    return this.#parameter;
  }

  writeStatus(status: string | Uint8Array): this {
    const text =
      typeof status === 'string' ? status : latin1Slice.call(status, 0, status.byteLength);
    const [line, ...headers] = text.split('\r\n');
    this.#status = Number(line!.slice(0, REASON_AT));
    this.#reason = line!.slice(REASON_AT);
    for (const header of headers) {
      const colon = header.indexOf(': ');
      this.#headers.push(header.slice(0, colon), header.slice(colon + 2));
    }
    return this;
  }

  writeHeader(name: string, value: string): this {
    this.#headers.push(name, value);
    return this;
  }

  end(body: string | Uint8Array, andClose = false): void {
    this.#headers.push('Content-Length', String(Buffer.byteLength(body)));
    if (andClose) this.#headers.push('Connection', 'close');
    this.#send(body);
  }

  /** node:http itself stops reading from a client that does not read its answers. */
  tryEnd(body: Uint8Array): readonly [boolean, boolean] {
    this.end(body);
    return TAKEN;
  }

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
    this.request.on('data', (chunk: Uint8Array) => {
      if (this.request.socket.destroyed) this.#connection.abortAll();
      if (!this.#isOver) handler(chunk, false);
    });
    this.request.on('end', () => {
      if (!this.#isOver) handler(NO_BYTES, true);
    });
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

  #send(body: string | Uint8Array): void {
    this.#isOver = true;
    this.#isAnswered = true;
    this.#connection.remove(this);
    this.response.writeHead(this.#status, this.#reason, this.#headers).end(body);
  }
}
