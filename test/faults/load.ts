import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { LoadThreadData } from './load-thread.js';
import type { SentOrders } from './sent-orders.js';

/** A load that runs until it is ended. Every process that it is aimed at may be killed meanwhile. */
export class Load {
  readonly #thread: Worker;
  #sent: Promise<SentOrders> | null = null;

  constructor(data: LoadThreadData) {
    this.#thread = new Worker(new URL('./load-thread.js', import.meta.url), { workerData: data });
  }

  /** Sends nothing more, waits for the answers that are due (25 s at most), and tells of all orders. */
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
