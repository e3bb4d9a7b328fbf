import { Agent, type IncomingMessage, request } from 'node:http';
import { bodies } from '../../k6/lib/body.js';
import type { WaveOptions } from './options.js';

export interface OrderAnswer {
  /** 0 when there was no answer. */
  readonly status: number;
  readonly body: string;
  /** The header `x-order-id`, or empty. */
  readonly orderId: string;
  /** The header `x-invalid`, or empty. */
  readonly fault: string;
}

const SOCKETS_MAX = 256;
/** Servers close idle connections, Forebay after 10 s. A request on a connection that is just being closed gets no answer. */
const IDLE_MS_MAX = 5_000;
const ANSWER_MS_MAX = 10_000;
const ANSWER_BYTES_MAX = 64 * 1024;
const NO_ANSWER: OrderAnswer = { status: 0, body: '', orderId: '', fault: '' };

/** Posts orders over a bounded number of connections, which it keeps open. */
export class OrderClient {
  readonly #agent = new Agent({
    keepAlive: true,
    maxSockets: SOCKETS_MAX,
    timeout: IDLE_MS_MAX,
  });
  readonly #url: URL;
  readonly #body: (n: number) => string;
  #posted = 0;

  /** @param body see k6/lib/body.js */
  constructor({ url, path, body }: Pick<WaveOptions, 'url' | 'path' | 'body'>) {
    this.#url = new URL(`${url}${path}`);
    this.#body = bodies(body);
  }

  /** Never rejects: an error is an answer with status 0. */
  post(): Promise<OrderAnswer> {
    const body = Buffer.from(this.#body(++this.#posted));
    return new Promise((resolve) => {
      const posted = request(this.#url, {
        method: 'POST',
        agent: this.#agent,
        headers: { 'content-type': 'application/json', 'content-length': body.length },
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      });
      posted.on('response', (response) => readAnswer(response, resolve));
      posted.on('error', () => resolve(NO_ANSWER));
      posted.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function readAnswer(response: IncomingMessage, resolve: (answer: OrderAnswer) => void): void {
  let body = '';
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    if (body.length < ANSWER_BYTES_MAX) body += chunk;
  });
  response.on('error', () => resolve(NO_ANSWER));
  response.on('end', () => {
    const header = (name: string) => String(response.headers[name] ?? '');
    const [orderId, fault] = [header('x-order-id'), header('x-invalid')];
    resolve({ status: response.statusCode ?? 0, body, orderId, fault });
  });
}
