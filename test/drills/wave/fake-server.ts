import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FrameIds } from '../../../src/commit/frame-id.js';
import { answers } from '../../../src/model/answers.js';

export interface FakeServerOptions {
  readonly mode: 'direct' | 'queue';
  /** 200s in any second, in direct mode. */
  readonly rpsLimit: number;
  /** Orders processed in any second, in queue mode. */
  readonly drainRate: number;
  /** What it does wrong; nothing by default. */
  readonly fault?: 'loses-orders' | 'odd-body' | 'odd-id';
  /** How long each answer takes. */
  readonly answerMs?: number;
}

/** A small server that behaves like Forebay as far as the wave looks at it. */
export class FakeServer {
  readonly #options: FakeServerOptions;
  readonly #server = createServer((request, response) => this.#handle(request, response));
  readonly #ids = new FrameIds();
  readonly #admittedMs: number[] = [];
  readonly #doneMs: number[] = [];
  readonly #drainTimer: NodeJS.Timeout;
  #created = 0;
  #pending = 0;
  #admitted = 0;
  #done = 0;

  private constructor(options: FakeServerOptions) {
    this.#options = options;
    this.#drainTimer = setInterval(() => this.#drain(), 5);
  }

  static async open(options: FakeServerOptions): Promise<FakeServer> {
    const server = new FakeServer(options);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    clearInterval(this.#drainTimer);
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    if (request.url === '/metrics') {
      response.end(this.#metrics());
      return;
    }
    request.resume();
    request.on('end', () => setTimeout(() => this.#order(response), this.#options.answerMs ?? 0));
  }

  #order(response: ServerResponse): void {
    const { mode, rpsLimit, fault } = this.#options;
    const nowMs = Date.now();
    if (mode === 'direct' && !admit(this.#admittedMs, rpsLimit, nowMs)) {
      response.writeHead(500).end(answers.serverKaput.body);
      return;
    }
    this.#created++;
    if (mode === 'direct') this.#done += fault === 'loses-orders' ? 0 : 1;
    else this.#pending++;
    const id = fault === 'odd-id' ? 'none' : `${this.#ids.next(nowMs)}-0`;
    response.writeHead(200, { 'x-order-id': id });
    response.end(fault === 'odd-body' ? '{}' : answers.created.body);
  }

  #drain(): void {
    while (this.#pending > 0 && admit(this.#doneMs, this.#options.drainRate, performance.now())) {
      this.#pending--;
      this.#admitted++;
      this.#done++;
    }
  }

  #metrics(): string {
    return [
      `work_done_total{status="error"} 5`,
      `work_done_total{status="done"} ${this.#done}`,
      `forebay_http_responses_total{status="200"} ${this.#created}`,
      `forebay_journal_pending_orders ${this.#pending}`,
      `forebay_admitted_orders_total ${this.#admitted}`,
      `process_uptime_seconds ${performance.now() / 1000}`,
    ].join('\n');
  }
}

/** At most `most` in any second. */
function admit(log: number[], most: number, nowMs: number): boolean {
  if (log.length >= most && nowMs - log[log.length - most]! <= 1000) return false;
  log.push(nowMs);
  return true;
}
