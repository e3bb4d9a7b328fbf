import type { HttpResponse } from 'uWebSockets.js';
import type { HttpReply } from '../http.js';

/**
 * The answer after a 100 Continue. uWebSockets.js writes one status line for each request, and the interim answer was it: the
 * other is written where it takes any text, as the beginning of the first header.
 */
export class ContinuedReply implements HttpReply {
  readonly #reply: HttpReply;

  constructor(reply: HttpReply) {
    this.#reply = reply;
    reply.writeStatus('100 Continue\r\n');
  }

  /** @param status with one header line at least */
  writeStatus(status: string | Uint8Array): this {
    const text = typeof status === 'string' ? status : Buffer.from(status).toString('latin1');
    const colon = text.indexOf(': ');
    this.#reply.writeHeader(`HTTP/1.1 ${text.slice(0, colon)}`, text.slice(colon + 2));
    return this;
  }

  writeHeader(name: string, value: string): this {
    this.#reply.writeHeader(name, value);
    return this;
  }

  end(body: string | Uint8Array): void {
    this.#reply.end(body);
  }

  tryEnd(body: Uint8Array, bytes: number): readonly [boolean, boolean] {
    return this.#reply.tryEnd(body, bytes);
  }

  onWritable(handler: (sent: number) => boolean): void {
    this.#reply.onWritable(handler);
  }

  endWithoutBody(): void {
    this.#reply.endWithoutBody();
  }

  cork(write: () => void): void {
    this.#reply.cork(write);
  }

  close(): void {
    this.#reply.close();
  }

  pause(): void {
    (this.#reply as HttpResponse).pause();
  }

  resume(): void {
    (this.#reply as HttpResponse).resume();
  }

  onAborted(handler: () => void): void {
    this.#reply.onAborted(handler);
  }

  onData(handler: (chunk: ArrayBuffer | Uint8Array, isLast: boolean) => void): void {
    this.#reply.onData(handler);
  }
}
