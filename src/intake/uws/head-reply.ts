import type { HttpReply } from '../http.js';

/**
 * The answer to HEAD. uWebSockets.js does not say whether an answer without a body has been sent, or waits because the
 * client does not read. So the connection ends with this answer; otherwise one client could let answers grow without bound.
 */
export class HeadReply implements HttpReply {
  readonly #reply: HttpReply;
  #head = '';
  #bytes = 0;
  #isGone = false;
  #onAborted: () => void = () => {};

  constructor(reply: HttpReply) {
    this.#reply = reply;
    reply.onAborted(() => {
      this.#isGone = true;
      this.#onAborted();
    });
  }

  writeStatus(status: string | Uint8Array): this {
    this.#head = typeof status === 'string' ? status : Buffer.from(status).toString('latin1');
    return this;
  }

  writeHeader(name: string, value: string): this {
    if (name === 'Content-Length') this.#bytes = Number(value);
    else this.#head += `\r\n${name}: ${value}`;
    return this;
  }

  endWithoutBody(): void {
    // Later, because an answer in the first segment of a handler is lost if the handler closes the connection.
    setImmediate(() => {
      if (this.#isGone) return;
      this.#onAborted = () => {};
      this.#reply.cork(() => {
        const head = this.#head.replace(/\r\nKeep-Alive: .*/, '');
        this.#reply.writeStatus(`${head}\r\nConnection: close`).tryEnd(NOTHING, this.#bytes);
      });
      this.#reply.close();
    });
  }

  end(): void {
    this.endWithoutBody();
  }

  tryEnd(): readonly [boolean, boolean] {
    this.endWithoutBody();
    return [true, true];
  }

  /** Never needed: `tryEnd` takes all. */
  onWritable(): void {}

  cork(write: () => void): void {
    write();
  }

  close(): void {
    this.#reply.close();
  }

  onAborted(handler: () => void): void {
    this.#onAborted = handler;
  }

  onData(handler: (chunk: ArrayBuffer | Uint8Array, isLast: boolean) => void): void {
    this.#reply.onData(handler);
  }
}

const NOTHING = new Uint8Array(0);
