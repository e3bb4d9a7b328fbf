import { setTimeout as sleep } from 'node:timers/promises';
import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { pause } from '../../model/backoff.js';
import type { Log } from '../../model/log.js';
import type { JetStreamConnection } from './connection.js';
import type { Declaration } from './declarations.js';

/**
 * Pause before something missing is created: a cluster without a leader has one again by then, and the rate of
 * requests stays low.
 */
const PAUSE_MS = 250;

/** The longest that a refused caller waits here: a cluster without a leader leaves requests unanswered for longer. */
const REPAIR_MS_MAX = 1000;

export interface StreamRepairParts {
  readonly connection: Pick<JetStreamConnection, 'up' | 'nc'>;
  /**
   * Creates what is missing, and reports each.
   * @throws Error it cannot be created
   */
  readonly declare: (
    nc: NatsConnection,
    onCreated: (declaration: Declaration) => void,
  ) => Promise<void>;
  readonly log: Log;
}

/** Recreates what is deleted on the server while this process runs, and reports it. */
export class StreamRepair {
  readonly #parts: StreamRepairParts;
  readonly #closing = new AbortController();
  /** Parts of the journal that are not served, and why. */
  readonly #troubles = new Map<string, string>();
  #repairing: Promise<void> | null = null;
  #fault = '';

  constructor(parts: StreamRepairParts) {
    this.#parts = parts;
  }

  /** What is wrong with the journal although NATS answers, in one line; empty while nothing is. */
  get reason(): string {
    for (const [part, why] of this.#troubles) {
      return `NATS does not serve the ${part}: ${why}${this.#fault}`;
    }
    return '';
  }

  /**
   * To be called when the server does not serve a part of the journal. Resolves after a pause; the caller then
   * retries.
   */
  async repair(part: string, why: string): Promise<void> {
    const isNew = this.#troubles.size === 0;
    this.#troubles.set(part, why);
    if (isNew) this.#parts.log('journal-broken', this.reason);
    this.#repairing ??= this.#run().finally(() => {
      this.#repairing = null;
    });
    const { signal } = this.#closing;
    const late = sleep(REPAIR_MS_MAX, undefined, { signal, ref: false }).catch(() => {});
    await Promise.race([this.#repairing, late]);
  }

  /** The same when the error means that the part does not exist; otherwise does nothing. */
  async repairIfGone(part: string, error: unknown): Promise<void> {
    if (isGone(error)) await this.repair(part, (error as Error).message);
  }

  /** To be called when the server serves that part. */
  served(part: string): void {
    if (!this.#troubles.delete(part) || this.#troubles.size > 0) return;
    this.#parts.log('journal-repaired', `NATS serves the ${part} again`);
  }

  close(): void {
    this.#closing.abort();
  }

  async #run(): Promise<void> {
    const { connection } = this.#parts;
    const { signal } = this.#closing;
    await pause(PAUSE_MS, signal);
    if (!signal.aborted && connection.up) await this.#declare(connection.nc);
  }

  async #declare(nc: NatsConnection): Promise<void> {
    const { declare, log } = this.#parts;
    try {
      await declare(nc, ({ kind, name, role }) => {
        const lost =
          kind === 'stream' ? 'its content is lost' : 'waiting frames are delivered again';
        log(
          'journal-remade',
          `NATS ${kind} ${name} (${role}) was missing and is recreated: ${lost}`,
        );
      });
      this.#fault = '';
    } catch (error) {
      const { message, name } = error as Error;
      this.#fault = `; ${message || name}`;
    }
  }
}

/** Whether the stream or consumer does not exist, or JetStream does not answer for it. */
function isGone(error: unknown): boolean {
  if (!(error instanceof JetStreamApiError)) return (error as Error).name === 'JetStreamNotEnabled';
  return (
    error.code === JetStreamApiCodes.StreamNotFound ||
    error.code === JetStreamApiCodes.ConsumerNotFound
  );
}
