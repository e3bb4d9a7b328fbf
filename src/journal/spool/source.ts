import type { Delivery, JournalName, Source } from '../../model/journal.js';
import type { Receipt } from '../../model/receipt.js';
import type { JetStreamSource } from '../jetstream/source.js';
import type { LocalSource } from '../local/source.js';

export interface SpooledSourceParts {
  readonly primary: JetStreamSource;
  readonly closePrimary: () => Promise<void>;
  /** Close the forwarders, which publish from the spool's store. */
  readonly closeForwarders: () => Promise<unknown>;
  readonly spool: LocalSource;
  /** Why orders stay in the spool; empty while none do. */
  readonly spoolReason: () => string;
  /** Why this process has no share of the drain rate; empty while it can have one. */
  readonly controlReason: () => string;
}

/**
 * JetStream with a spool, as the drain reads them. Frames are delivered from JetStream alone; those in the spool are
 * forwarded to it once it is back.
 */
export class SpooledSource implements Source {
  readonly #parts: SpooledSourceParts;

  constructor(parts: SpooledSourceParts) {
    this.#parts = parts;
  }

  get name(): JournalName {
    return this.#parts.primary.name;
  }

  get reachable(): boolean {
    return this.#parts.primary.reachable;
  }

  get reason(): string {
    const { primary, spool, spoolReason, controlReason } = this.#parts;
    return primary.reason || controlReason() || spoolReason() || spool.reason;
  }

  pull(framesMax: number, signal: AbortSignal, begunMax?: number): Promise<Delivery[]> {
    return this.#parts.primary.pull(framesMax, signal, begunMax);
  }

  pendingOrders(): number {
    return this.#parts.primary.pendingOrders() + this.#parts.spool.pendingOrders();
  }

  oldestAcceptedAtMs(): number {
    const { primary, spool } = this.#parts;
    const times = [primary.oldestAcceptedAtMs(), spool.oldestAcceptedAtMs()].filter((ms) => ms > 0);
    return times.length === 0 ? 0 : Math.min(...times);
  }

  get term(): number {
    return this.#parts.primary.term;
  }

  deadLetters(): number {
    return this.#parts.primary.deadLetters();
  }

  receipt(frameId: string, index: number): Promise<Receipt> {
    return this.#parts.primary.receipt(frameId, index);
  }

  throughputOfAll(): number | null {
    return this.#parts.primary.throughputOfAll();
  }

  ordersAhead(frameId: string, index: number): Promise<number | null> {
    return this.#parts.primary.ordersAhead(frameId, index);
  }

  /** Closes the store last: the primary and the forwarders write to it until they are closed. */
  async close(): Promise<void> {
    const { spool, closePrimary, closeForwarders } = this.#parts;
    // Otherwise a forwarder would wait for space on the disk.
    spool.giveUp();
    const forwardersClosed = closeForwarders();
    // Also ends the forwarders' waiting for NATS.
    await closePrimary();
    await forwardersClosed;
    await spool.close();
  }
}
