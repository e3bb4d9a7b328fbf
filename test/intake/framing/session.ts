import { connect, type Socket } from 'node:net';
import { withDeadline } from '../../support/deadline.js';

export interface Answer {
  readonly status: number;
  /** The value of x-order-id; empty without one. */
  readonly orderId: string;
  readonly head: string;
  readonly body: string;
}

/** One connection: sends bytes, and records all that comes back. */
export class Session {
  readonly #socket: Socket;
  readonly #isHead: boolean;
  #received = '';
  #isClosed = false;

  /** @param isHead whether the answers have no body */
  static open(url: string, isHead = false): Promise<Session> {
    const { hostname, port } = new URL(url);
    const opened = new Promise<Session>((resolve, reject) => {
      const where = { host: hostname, port: Number(port), noDelay: true, allowHalfOpen: true };
      const socket = connect(where);
      socket.once('error', reject);
      socket.once('connect', () => resolve(new Session(socket, isHead)));
    });
    return withDeadline(opened, `a connection to ${url}`);
  }

  constructor(socket: Socket, isHead: boolean) {
    this.#socket = socket;
    this.#isHead = isHead;
    socket.on('error', () => {});
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.#received += text;
    });
    // The server has ended its side.
    socket.once('end', () => {
      this.#isClosed = true;
    });
    socket.once('close', () => {
      this.#isClosed = true;
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get received(): string {
    return this.#received;
  }

  /** Resolves when the kernel has the bytes. */
  async send(bytes: Uint8Array): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#socket.write(bytes, () => resolve());
    });
  }

  /** Ends the client's side only. */
  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** The whole answers so far, without those of the 1xx class. */
  answers(): Answer[] {
    const found: Answer[] = [];
    let rest = this.#received;
    for (;;) {
      const end = rest.indexOf('\r\n\r\n');
      if (end < 0) return found;
      const head = rest.slice(0, end);
      const status = Number(head.slice(9, 12));
      const header = (name: string) => new RegExp(`\r\n${name}: (.*)`, 'i').exec(head)?.[1];
      const length = header('content-length');
      // An answer of uWebSockets.js itself has no length: it ends with the connection.
      const hasNone = this.#isHead || status < 200;
      const bodyEnd = hasNone ? end + 4 : end + 4 + Number(length ?? rest.length);
      if (length !== undefined && rest.length < bodyEnd) return found;
      const body = rest.slice(end + 4, bodyEnd);
      if (status >= 200) found.push({ status, orderId: header('x-order-id') ?? '', head, body });
      rest = rest.slice(bodyEnd);
    }
  }
}
