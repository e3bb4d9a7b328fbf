import { Backoff, pause } from '../../model/backoff.js';
import type { JetStreamPublisher, Publication } from '../nats/publisher.js';

/** Something that waits in the data folder for NATS: a frame, or a dead letter. */
export interface SpoolRow {
  readonly publication: Publication;
  /** Orders that count towards the rate. */
  readonly orders: number;
  /**
   * NATS has stored it: removes it from the spool.
   * @throws Error the disk takes no writes
   */
  forwarded(): Promise<void>;
  /** It was not stored and is tried again later. */
  release(): void;
  /** NATS will not store it as it is: keeps it out of the way. Null where such a row is only tried again. */
  readonly park: ((reason: string) => void) | null;
}

export interface ForwarderParts {
  readonly connection: {
    readonly up: boolean;
    readonly publisher: Pick<JetStreamPublisher, 'attempt'>;
  };
  /** The next rows, oldest first; waits for some, and is empty when no more will come. */
  readonly next: (rowsMax: number, signal: AbortSignal) => Promise<readonly SpoolRow[]>;
  /** Orders per second at most, so that fresh orders are not starved; 0 for no limit. */
  readonly rate: number;
  /** Called with the reason of the first failure in a row. */
  readonly onFailure: (reason: string) => void;
}

/** Published without waiting for the first of them to be acknowledged. */
const ROWS_MAX = 16;
const ATTEMPT_MS_MAX = 2000;
const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 5000;
/** How often the connection is checked while it is down. */
const CONNECTION_POLL_MS = 250;

/**
 * Publishes what waits in the data folder to JetStream, oldest first. Each row keeps its message id, so one whose
 * first publication was ambiguous is dropped as a duplicate, by the server or by the consumer. A row leaves the spool
 * once it is acknowledged.
 */
export class Forwarder {
  readonly #parts: ForwarderParts;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #notBeforeMs = 0;
  #reason = '';

  constructor(parts: ForwarderParts) {
    this.#parts = parts;
    this.#running = this.#run();
  }

  /** Why NATS does not take what waits although it answers, in one line; empty while it does. */
  get reason(): string {
    return this.#parts.connection.up ? this.#reason : '';
  }

  /** Resolves when what was published is acknowledged or given up; the rest stays in the spool. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { connection, next, onFailure } = this.#parts;
    const { signal } = this.#closing;
    const backoff = new Backoff(RETRY_MS_MIN, RETRY_MS_MAX, signal);
    while (!signal.aborted) {
      if (!connection.up) {
        await pause(CONNECTION_POLL_MS, signal);
        continue;
      }
      try {
        const rows = await next(ROWS_MAX, signal);
        if (rows.length === 0) return;
        await this.#forward(rows);
        backoff.reset();
        this.#reason = '';
      } catch (error) {
        this.#reason = (error as Error).message;
        if (backoff.isFirst) onFailure(this.#reason);
        await backoff.pause();
      }
    }
  }

  /** @throws Error some were not stored; those stay in the spool */
  async #forward(rows: readonly SpoolRow[]): Promise<void> {
    const failures: Error[] = [];
    const underWay: Promise<void>[] = [];
    for (const row of rows) {
      await this.#pace(row.orders);
      // Keeps the order of the rows: after a failure, nothing more is sent.
      if (failures.length > 0 || this.#closing.signal.aborted) row.release();
      else underWay.push(this.#send(row).catch((error) => void failures.push(error)));
    }
    await Promise.all(underWay);
    if (failures.length > 0) throw failures[0]!;
  }

  async #send(row: SpoolRow): Promise<void> {
    const { publisher } = this.#parts.connection;
    const outcome = await publisher.attempt(row.publication, ATTEMPT_MS_MAX);
    if (outcome.verdict === 'stored') {
      await row.forwarded();
      return;
    }
    if (outcome.verdict === 'refused' && outcome.isUnfit && row.park !== null) {
      row.park(outcome.reason);
      return;
    }
    row.release();
    throw new Error(outcome.reason);
  }

  async #pace(orders: number): Promise<void> {
    const { rate } = this.#parts;
    if (rate === 0) return;
    const nowMs = performance.now();
    const waitMs = this.#notBeforeMs - nowMs;
    this.#notBeforeMs = Math.max(this.#notBeforeMs, nowMs) + (orders / rate) * 1000;
    if (waitMs > 0) await pause(waitMs, this.#closing.signal);
  }
}
