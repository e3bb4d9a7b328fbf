import type { Log } from '../../model/log.js';
import type { LocalDelivery, LocalSource } from '../local/source.js';
import type { JetStreamConnection } from '../nats/connection.js';
import { deadLetterPublication, framePublication } from '../nats/headers.js';
import type { JetStreamNames } from '../nats/names.js';
import { firstSpooledDeadLetter } from '../store/dead-letter-rows.js';
import type { LocalStore } from '../store/local-store.js';
import type { SpoolRow } from './forwarder.js';

export interface SpooledFramesParts {
  readonly spool: LocalSource;
  readonly connection: JetStreamConnection;
  readonly names: JetStreamNames;
  readonly onForwarded: (orders: number) => void;
  readonly log: Log;
}

/** How often frames that NATS cannot store are tried again: its operator may have changed a limit. */
const UNFIT_RETRY_MS = 60_000;

/**
 * The frames in the spool, for the forwarder. A frame that NATS cannot store because of what it is, for example
 * because it is too large, is parked, so that those behind it go on.
 */
export class SpooledFrames {
  readonly #parts: SpooledFramesParts;
  readonly #unfitTimer: NodeJS.Timeout;
  readonly #stopListening: () => void;
  #unfitOrders = 0;
  #unfitReason = '';

  constructor(parts: SpooledFramesParts) {
    this.#parts = parts;
    this.#unfitTimer = setInterval(() => this.#unpark(), UNFIT_RETRY_MS);
    this.#unfitTimer.unref();
    this.#stopListening = parts.connection.onChange((up) => {
      if (up) this.#unpark();
    });
  }

  /** Orders of the frames that are parked. */
  get unfitOrders(): number {
    return this.#unfitOrders;
  }

  /** Why some orders stay in the spool, in one line; empty while none do. */
  get reason(): string {
    return this.#unfitOrders === 0
      ? ''
      : `${this.#unfitOrders} orders stay in the spool: ${this.#unfitReason}`;
  }

  async next(framesMax: number, signal: AbortSignal): Promise<SpoolRow[]> {
    const deliveries = await this.#parts.spool.pull(framesMax, signal);
    return deliveries.map((delivery) => this.#row(delivery));
  }

  close(): void {
    clearInterval(this.#unfitTimer);
    this.#stopListening();
  }

  #row(delivery: LocalDelivery): SpoolRow {
    const { names, onForwarded } = this.#parts;
    const { frame } = delivery;
    return {
      publication: framePublication(names, frame),
      orders: frame.count,
      forwarded: async () => {
        await delivery.forwarded();
        onForwarded(frame.count);
      },
      release: () => delivery.release(),
      park: (reason) => this.#park(delivery, reason),
    };
  }

  #park(delivery: LocalDelivery, reason: string): void {
    const { id, count } = delivery.frame;
    if (this.#unfitReason !== reason) {
      const line = `frame ${id} stays in the spool: ${reason}`;
      this.#parts.log('spool-unfit', line, { orders: count });
    }
    this.#unfitReason = reason;
    this.#unfitOrders += count;
    delivery.park();
  }

  #unpark(): void {
    if (this.#unfitOrders === 0) return;
    this.#unfitOrders = 0;
    this.#parts.spool.unpark();
  }
}

/**
 * The first of the dead letters that an earlier run stored in the data folder because it was stopped while NATS was
 * away; empty when none is left. No more come: while a process runs, its settlements wait for NATS instead.
 */
export async function nextSpooledDeadLetters(
  store: LocalStore,
  names: JetStreamNames,
): Promise<SpoolRow[]> {
  const first = firstSpooledDeadLetter(store);
  if (first === null) return [];
  const { key, letter, messageId } = first;
  return [
    {
      publication: deadLetterPublication(names, letter, messageId),
      orders: 0,
      forwarded: () => store.write(() => void store.deadSpool.remove(key)),
      release: () => {},
      park: null,
    },
  ];
}
