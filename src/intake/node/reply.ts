import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpReply } from '../http.js';

const decoder = new TextDecoder('latin1');

/** An answer on node:http. */
export class NodeReply implements HttpReply {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #headers: string[] = [];
  #status = 200;
  #reason = 'OK';
  #isOver = false;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
    response.sendDate = false;
  }

  writeStatus(status: string | Uint8Array): this {
    const text = typeof status === 'string' ? status : decoder.decode(status);
    const [line, ...headers] = text.split('\r\n');
    this.#status = Number(line!.slice(0, 3));
    this.#reason = line!.slice(4);
    for (const header of headers) {
      const colon = header.indexOf(':');
      this.#headers.push(header.slice(0, colon), header.slice(colon + 1).trim());
    }
    return this;
  }

  writeHeader(name: string, value: string): this {
    this.#headers.push(name, value);
    return this;
  }

  end(body: string | Uint8Array, andClose = false): void {
    this.#headers.push('Content-Length', String(Buffer.byteLength(body)));
    this.#end(body, andClose);
  }

  endWithoutBody(): void {
    this.#end('', false);
  }

  cork(write: () => void): void {
    write();
  }

  close(): void {
    this.#request.socket.destroy();
    this.#abort();
  }

  onAborted(handler: () => void): void {
    this.#onAborted = handler;
    this.#response.once('close', () => this.#abort());
  }

  onData(handler: (chunk: Uint8Array, isLast: boolean) => void): void {
    this.#request.on('data', (chunk: Uint8Array) => handler(chunk, false));
    this.#request.on('end', () => handler(NOTHING, true));
  }

  #onAborted: () => void = () => {};

  #end(body: string | Uint8Array, andClose: boolean): void {
    this.#isOver = true;
    if (andClose) this.#headers.push('Connection', 'close');
    this.#response.writeHead(this.#status, this.#reason, this.#headers).end(body);
  }

  #abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onAborted();
  }
}

const NOTHING = new Uint8Array(0);
