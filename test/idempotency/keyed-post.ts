import { Agent, request } from 'node:http';

export interface KeyedAnswer {
  /** 0 if the connection ended without a response. */
  readonly status: number;
  /** Empty unless the status is 200. */
  readonly id: string;
  readonly isReplay: boolean;
  readonly body: string;
}

/** Posts orders with an idempotency key. Each instance has its own connections. */
export class KeyedPoster {
  readonly #agent: Agent;
  readonly #url: string;

  constructor(url: string, connections = 64) {
    this.#url = `${url}/orders`;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** Never rejects. */
  post(key: string, body: string): Promise<KeyedAnswer> {
    return new Promise((resolve) => {
      const gone = () => resolve({ status: 0, id: '', isReplay: false, body: '' });
      const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': key };
      const sent = request(this.#url, { method: 'POST', agent: this.#agent, headers }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        answer.once('error', gone);
        answer.once('end', () =>
          resolve({
            status: answer.statusCode!,
            id: String(answer.headers['x-order-id'] ?? ''),
            isReplay: answer.headers['idempotent-replay'] === 'true',
            body: text,
          }),
        );
      });
      sent.once('error', gone);
      sent.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
