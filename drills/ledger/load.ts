import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { LoadThreadData } from './load-thread.js';
import type { SentOrders } from './sent-orders.js';

/** A load that runs until `end`. The servers may be killed meanwhile. */
export class Load {
  readonly #thread: Worker;
  #sent: Promise<SentOrders> | null = null;

  constructor(data: LoadThreadData) {
    this.#thread = new Worker(new URL('./load-thread.js', import.meta.url), { workerData: data });
  }

  /** Stops sending and waits for outstanding responses, at most 25 s. @returns all orders */
  end(): Promise<SentOrders> {
    if (this.#sent === null) {
      this.#sent = once(this.#thread, 'message').then(([sent]) => sent as SentOrders);
      this.#thread.postMessage('end');
    }
    return this.#sent;
  }

  async destroy(): Promise<void> {
    await this.#thread.terminate();
  }
}
