import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Bounds the open connections of an HTTP server and turns no new one away: at the limit, the connection that has been
 * without a request for longest is closed. So connections that somebody holds, silent or kept alive, never keep a
 * probe from its answer.
 */
export class ConnectionLimit {
  readonly #max: number;
  /** The least recently used first. */
  readonly #open = new Map<Socket, 'waits' | 'answers' | 'streams'>();

  constructor(server: Server, max: number) {
    this.#max = max;
    server.on('connection', (socket) => this.#opened(socket));
    server.on('request', (request, response) => this.#asked(request, response));
  }

  get open(): number {
    return this.#open.size;
  }

  /** The answer is a stream that goes on: its connection is not closed to make room. Their number must be bounded. */
  keep({ socket }: IncomingMessage): void {
    if (this.#open.has(socket)) this.#open.set(socket, 'streams');
  }

  #opened(socket: Socket): void {
    this.#open.set(socket, 'waits');
    socket.once('close', () => this.#open.delete(socket));
    if (this.#open.size > this.#max) this.#leastUsed(socket)?.destroy();
  }

  #asked({ socket }: IncomingMessage, response: ServerResponse): void {
    this.#use(socket, 'answers');
    response.once('close', () => this.#use(socket, 'waits'));
  }

  #use(socket: Socket, state: 'waits' | 'answers'): void {
    if (!this.#open.delete(socket) || socket.destroyed) return;
    this.#open.set(socket, state);
  }

  /** One whose answer is not read, if every other connection has a request too. */
  #leastUsed(newest: Socket): Socket | undefined {
    const states = [...this.#open].filter(([socket]) => socket !== newest);
    const found =
      states.find(([, state]) => state === 'waits') ??
      states.find(([, state]) => state === 'answers');
    return found?.[0];
  }
}
