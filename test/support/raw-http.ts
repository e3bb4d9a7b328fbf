import { connect, type Socket } from 'node:net';
import { withDeadline } from './deadline.js';

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A connection on which a test decides byte for byte, and write for write, what is sent. */
export class RawConnection {
  readonly #socket: Socket;
  readonly #closed: Promise<void>;
  #received = '';
  #wake: () => void = () => {};
  #isClosed = false;

  static open(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    const opened = new Promise<RawConnection>((resolve, reject) => {
      // The host of a URL has the brackets of an IPv6 address.
      const host = hostname.replace(/^\[|\]$/g, '');
      const socket = connect({ host, port: Number(port), noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new RawConnection(socket)));
    });
    return withDeadline(opened, `a connection to ${url}`);
  }

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.#received += text;
      this.#wake();
    });
    this.#closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#isClosed = true;
        this.#wake();
        resolve();
      });
    });
  }

  /** Resolves when the connection is closed. @throws Error when it is not in two minutes */
  get closed(): Promise<void> {
    return withDeadline(this.#closed, 'the connection is closed');
  }

  /** Sends `bytes` as one write, and resolves when the kernel has it. */
  async write(bytes: string | Uint8Array): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#socket.write(bytes, () => resolve());
    });
  }

  /** Sends the pieces one by one, with pauses so that they arrive separately. */
  async writeApart(pieces: readonly (string | Uint8Array)[]): Promise<void> {
    for (const piece of pieces) {
      await this.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** The next answer. @throws Error when the connection ends before it is complete, or two minutes pass */
  async answer({ toHead = false } = {}): Promise<RawAnswer> {
    for (;;) {
      const answer = this.#parse(toHead);
      if (answer !== null) return answer;
      if (this.#isClosed) throw new Error(`closed after ${JSON.stringify(this.#received)}`);
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await withDeadline(woken, () => `an answer after ${JSON.stringify(this.#received)}`);
    }
  }

  /** Ends the sending half, and resolves when the kernel has the FIN; answers still arrive. */
  async endSending(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#socket.end(() => resolve());
    });
  }

  /** Closes the connection at once. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** The same with a reset, which also tells a server that answers clients whose own side has ended. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  #parse(toHead: boolean): RawAnswer | null {
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return null;
    const [statusLine, ...lines] = this.#received.slice(0, end).split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const bodyBytes = toHead ? 0 : Number(headers['content-length'] ?? 0);
    const bodyStart = end + 4;
    if (this.#received.length < bodyStart + bodyBytes) return null;
    const body = this.#received.slice(bodyStart, bodyStart + bodyBytes);
    this.#received = this.#received.slice(bodyStart + bodyBytes);
    return { status: Number(statusLine!.split(' ')[1]), headers, body };
  }
}

/** An undefined value leaves a header out that would be sent otherwise. */
export type RawHeaders = Readonly<Record<string, string | undefined>>;

/** A POST to /orders, as head and body. */
export function post(body: string | Uint8Array, headers: RawHeaders = {}) {
  const bytes = Buffer.from(body as Uint8Array);
  const all: Record<string, string | undefined> = {
    Host: 'x',
    'Content-Type': 'application/json',
    'Content-Length': String(bytes.length),
    ...headers,
  };
  const lines = Object.entries(all)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return { head: `POST /orders HTTP/1.1\r\n${lines.join('')}\r\n`, body: bytes };
}

/** Sends one request on its own connection. */
export async function exchange(url: string, request: string | Uint8Array): Promise<RawAnswer> {
  const connection = await RawConnection.open(url);
  try {
    await connection.write(request);
    return await connection.answer({ toHead: String(request).startsWith('HEAD') });
  } finally {
    connection.destroy();
  }
}

/** Posts one body on its own connection. */
export function postOrder(
  url: string,
  body: string | Uint8Array,
  headers?: RawHeaders,
): Promise<RawAnswer> {
  const request = post(body, headers);
  return exchange(url, Buffer.concat([Buffer.from(request.head), request.body]));
}

export const VALID_BODY = '{"product_id":"33","count":"3","username":"maksim.konovalov"}';
