import { connect, type Socket } from 'node:net';
import { BROKEN } from './sent-orders.js';

const ANSWER_MS_MAX = 20_000;
const REDIAL_MS = 200;

export interface LoadListener {
  /** The connection is ready for an order. */
  idle(connection: LoadConnection): void;
  /** @param status the HTTP status or `BROKEN` */
  answered(sequence: number, status: number, orderId: string): void;
}

/**
 * A keep-alive HTTP connection with at most one request in flight, which reconnects when it breaks. It accepts an order only
 * while it is open, so an order that was not sent never counts as one whose response was lost.
 */
export class LoadConnection {
  readonly #host: string;
  readonly #port: number;
  readonly #listener: LoadListener;
  #socket: Socket | null = null;
  #received = '';
  #sequence = -1;
  #isOpen = false;
  #isClosed = false;
  #deadline: NodeJS.Timeout | undefined;

  constructor(url: string, listener: LoadListener) {
    const { hostname, port } = new URL(url);
    this.#host = hostname;
    this.#port = Number(port);
    this.#listener = listener;
    this.#dial();
  }

  /**
   * Only while idle.
   *
   * @param key the idempotency key; empty: none
   * @returns false if the connection has closed and nothing was sent
   */
  post(sequence: number, body: string, key: string): boolean {
    if (!this.#isOpen) return false;
    this.#sequence = sequence;
    this.#received = '';
    this.#deadline = setTimeout(() => this.#socket?.destroy(), ANSWER_MS_MAX);
    const keyLine = key === '' ? '' : `Idempotency-Key: ${key}\r\n`;
    const head =
      'POST /orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
      `${keyLine}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
    this.#socket!.write(head + body);
    return true;
  }

  close(): void {
    this.#isClosed = true;
    this.#socket?.destroy();
  }

  #dial(): void {
    if (this.#isClosed) return;
    const socket = connect({ host: this.#host, port: this.#port, noDelay: true });
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('connect', () => {
      this.#isOpen = true;
      this.#listener.idle(this);
    });
    socket.on('data', (text: string) => this.#read(text));
    socket.on('error', () => {});
    socket.on('close', () => this.#gone());
  }

  #gone(): void {
    this.#isOpen = false;
    this.#answer(BROKEN, '');
    setTimeout(() => this.#dial(), REDIAL_MS);
  }

  #read(text: string): void {
    this.#received += text;
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = this.#received.slice(0, end);
    const bodyBytes = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    if (this.#received.length < end + 4 + bodyBytes) return;
    const status = Number(head.slice(9, 12));
    this.#answer(status, status === 200 ? (/x-order-id: *(\S+)/i.exec(head)?.[1] ?? '') : '');
    if (/connection: *close/i.test(head)) this.#socket!.destroy();
    else this.#listener.idle(this);
  }

  #answer(status: number, orderId: string): void {
    if (this.#sequence < 0) return;
    clearTimeout(this.#deadline);
    const sequence = this.#sequence;
    this.#sequence = -1;
    this.#listener.answered(sequence, status, orderId);
  }
}
