import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { HANG_MS_MAX, withDeadline } from './deadline.js';
import type { ForebayProcess } from './forebay.js';

export interface OrderAnswer {
  /** 0 when the connection ended without an answer. */
  readonly status: number;
  /** Empty unless the status is 200. */
  readonly id: string;
}

export function orderBody(username: string): string {
  return JSON.stringify({ product_id: '33', count: '3', username });
}

/** A client with a bounded number of connections that are kept alive. */
export class OrderClient {
  readonly #agent: Agent;
  readonly #url: string;

  constructor(url: string, connections = 64) {
    this.#url = `${url}/orders`;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** @throws Error when there is neither an answer nor an end of the connection in two minutes */
  post(username: string): Promise<OrderAnswer> {
    const answered = new Promise<OrderAnswer>((resolve) => {
      const gone = () => resolve({ status: 0, id: '' });
      const headers = { 'content-type': 'application/json' };
      const sent = request(this.#url, { method: 'POST', agent: this.#agent, headers }, (answer) => {
        answer.resume();
        answer.once('error', gone);
        answer.once('end', () =>
          resolve({
            status: answer.statusCode!,
            id: answer.statusCode === 200 ? String(answer.headers['x-order-id']) : '',
          }),
        );
      });
      sent.once('error', gone);
      sent.end(orderBody(username));
    });
    return withDeadline(answered, `an answer to the order of ${username}`);
  }

  /** Posts all at once, as far as there are connections. */
  postAll(usernames: readonly string[]): Promise<OrderAnswer[]> {
    return Promise.all(usernames.map((username) => this.post(username)));
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** The value of one series of /metrics, labels included in the name. */
export async function metric(
  forebay: Pick<ForebayProcess, 'adminUrl'>,
  series: string,
): Promise<number> {
  const signal = AbortSignal.timeout(HANG_MS_MAX);
  const text = await (await fetch(`${forebay.adminUrl}/metrics`, { signal })).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  assert.ok(line !== undefined, `no ${series} in /metrics`);
  return Number(line.slice(series.length + 1));
}

/** Checks every 25 ms until `holds` returns true. @throws AssertionError when it does not in two minutes */
export async function eventually(
  what: string | (() => string),
  holds: () => Promise<boolean> | boolean,
): Promise<void> {
  const deadlineMs = performance.now() + HANG_MS_MAX;
  while (performance.now() < deadlineMs) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail(`not within ${HANG_MS_MAX} ms: ${typeof what === 'string' ? what : what()}`);
}
