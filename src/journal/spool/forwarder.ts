import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../model/log.js';
import type { LocalDelivery, LocalSource } from '../local/source.js';
import type { JetStreamConnection } from '../nats/connection.js';
import { frameHeaders } from '../nats/headers.js';
import type { JetStreamNames } from '../nats/names.js';
import { JetStreamPublisher } from '../nats/publisher.js';

export interface SpoolForwarderParts {
  readonly spool: LocalSource;
  readonly connection: JetStreamConnection;
  readonly names: JetStreamNames;
  /** Orders a second at most, so that fresh orders are not starved; 0 for as fast as it can. */
  readonly rate: number;
  readonly onForwarded: (orders: number) => void;
  readonly log: Log;
}

/** Published without waiting for the first of them to be acknowledged. */
const FRAMES_MAX = 16;
const ATTEMPT_MS_MAX = 2000;
const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 5000;
/** How often it looks whether NATS is back. */
const LOOK_MS = 250;
/** How often frames that NATS refused for what they are are tried again: its operator may have changed a limit. */
const UNFIT_RETRY_MS = 60_000;

/**
 * Brings the frames of the spool to JetStream, the oldest first, under the ids they have: one whose first
 * publication was ambiguous is dropped there as a duplicate, or by whoever consumes it. A frame leaves the spool
 * once it is acknowledged. One that NATS refuses for what it is, not for what is going on, stays there, and those behind
 * it go on.
 */
export class SpoolForwarder {
  readonly #parts: SpoolForwarderParts;
  readonly #publisher: JetStreamPublisher;
  readonly #closing = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #notBeforeMs = 0;
  readonly #unfitTimer: NodeJS.Timeout;
  readonly #stopListening: () => void;
  #unfitOrders = 0;
  #unfitReason = '';

  constructor(parts: SpoolForwarderParts) {
    this.#parts = parts;
    this.#publisher = new JetStreamPublisher(parts.connection);
    this.#unfitTimer = setInterval(() => this.#tryUnfitAgain(), UNFIT_RETRY_MS);
    this.#unfitTimer.unref();
    this.#stopListening = parts.connection.onChange((up) => {
      if (up) this.#tryUnfitAgain();
    });
  }

  /** Of the orders in the spool, those that NATS refuses for what their frames are. */
  get unfitOrders(): number {
    return this.#unfitOrders;
  }

  /** Why some orders stay in the spool, in one line; empty while none do. */
  get reason(): string {
    return this.#unfitOrders === 0
      ? ''
      : `${this.#unfitOrders} orders stay in the spool: ${this.#unfitReason}`;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Resolves when what was published is acknowledged or given up; the rest stays in the spool. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#unfitTimer);
    this.#stopListening();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { connection, spool, log } = this.#parts;
    const { signal } = this.#closing;
    let pauseMs = RETRY_MS_MIN;
    let isReported = false;
    while (!signal.aborted) {
      if (!connection.up) {
        await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
        continue;
      }
      const deliveries = await spool.pull(FRAMES_MAX, signal);
      if (deliveries.length === 0) break;
      const failure = await this.#forward(deliveries);
      if (failure === '') {
        pauseMs = RETRY_MS_MIN;
        isReported = false;
        continue;
      }
      if (!isReported) log('spool-waits', `the spool waits: ${failure}`);
      isReported = true;
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
      pauseMs = Math.min(2 * pauseMs, RETRY_MS_MAX);
    }
  }

  /** Empty, or why not all went: what did not goes back to the spool. */
  async #forward(deliveries: readonly LocalDelivery[]): Promise<string> {
    const failures: string[] = [];
    const underWay: Promise<void>[] = [];
    for (const delivery of deliveries) {
      await this.#pace(delivery.frame.count);
      // The order of the frames is kept: behind one that failed, none is sent.
      if (failures.length > 0 || this.#closing.signal.aborted) delivery.release();
      else underWay.push(this.#send(delivery, failures));
    }
    await Promise.all(underWay);
    return failures[0] ?? '';
  }

  async #send(delivery: LocalDelivery, failures: string[]): Promise<void> {
    const { names, onForwarded } = this.#parts;
    const { frame } = delivery;
    const outcome = await this.#publisher.attempt(
      {
        stream: names.stream,
        subject: frame.refiled === null ? names.freshSubject : names.retrySubject,
        payload: frame.payload,
        headers: frameHeaders(frame),
      },
      ATTEMPT_MS_MAX,
    );
    if (outcome.verdict === 'stored') {
      await delivery.forwarded();
      onForwarded(frame.count);
      return;
    }
    if (outcome.verdict === 'refused' && outcome.isUnfit) {
      this.#keep(delivery, outcome.reason);
      return;
    }
    failures.push(outcome.reason);
    delivery.release();
  }

  #keep(delivery: LocalDelivery, reason: string): void {
    const { id, count } = delivery.frame;
    if (this.#unfitReason !== reason) {
      this.#parts.log('spool-unfit', `frame ${id} stays in the spool: ${reason}`, {
        orders: count,
      });
    }
    this.#unfitReason = reason;
    this.#unfitOrders += count;
    delivery.park();
  }

  #tryUnfitAgain(): void {
    if (this.#unfitOrders === 0) return;
    this.#unfitOrders = 0;
    this.#parts.spool.unpark();
  }

  async #pace(orders: number): Promise<void> {
    const { rate } = this.#parts;
    if (rate === 0) return;
    const nowMs = performance.now();
    const waitMs = this.#notBeforeMs - nowMs;
    this.#notBeforeMs = Math.max(this.#notBeforeMs, nowMs) + (orders / rate) * 1000;
    if (waitMs > 0) {
      const { signal } = this.#closing;
      await sleep(waitMs, undefined, { signal }).catch(() => {});
    }
  }
}
