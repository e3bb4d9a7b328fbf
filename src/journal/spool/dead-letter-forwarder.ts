import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../model/log.js';
import type { JetStreamConnection } from '../nats/connection.js';
import { deadLetterPublication } from '../nats/headers.js';
import type { JetStreamNames } from '../nats/names.js';
import { JetStreamPublisher } from '../nats/publisher.js';
import { firstSpooledDeadLetter, type SpooledDeadLetter } from '../store/dead-letter-rows.js';
import type { LocalStore } from '../store/local-store.js';

export interface DeadLetterForwarderParts {
  readonly store: LocalStore;
  readonly connection: JetStreamConnection;
  readonly names: JetStreamNames;
  readonly log: Log;
}

const ATTEMPT_MS_MAX = 2000;
const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 5000;
/** How often it looks whether NATS is there. */
const LOOK_MS = 250;

/**
 * Brings the dead letters that an earlier life filed in its store, because it was stopped while NATS was away, to the
 * stream of dead letters. It ends when none is left: while a process runs, its settlements wait for NATS instead.
 */
export class DeadLetterForwarder {
  readonly #parts: DeadLetterForwarderParts;
  readonly #publisher: JetStreamPublisher;
  readonly #closing = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(parts: DeadLetterForwarderParts) {
    this.#parts = parts;
    this.#publisher = new JetStreamPublisher(parts.connection);
  }

  start(): void {
    this.#running = this.#run();
  }

  /** What has not gone by then stays for the next start. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { store, connection, log } = this.#parts;
    const { signal } = this.#closing;
    let pauseMs = RETRY_MS_MIN;
    while (!signal.aborted) {
      if (!connection.up) {
        await this.#sleep(LOOK_MS);
        continue;
      }
      try {
        const first = firstSpooledDeadLetter(store);
        if (first === null) return;
        await this.#forward(first);
        pauseMs = RETRY_MS_MIN;
      } catch (error) {
        const { message } = error as Error;
        if (pauseMs === RETRY_MS_MIN) log('dead-letters-wait', `dead letters wait: ${message}`);
        await this.#sleep(pauseMs);
        pauseMs = Math.min(2 * pauseMs, RETRY_MS_MAX);
      }
    }
  }

  async #forward({ key, letter, messageId }: SpooledDeadLetter): Promise<void> {
    const { store, names } = this.#parts;
    const publication = deadLetterPublication(names, letter, messageId);
    const outcome = await this.#publisher.attempt(publication, ATTEMPT_MS_MAX);
    if (outcome.verdict !== 'stored') throw new Error(outcome.reason);
    await store.write(() => void store.deadSpool.remove(key));
  }

  async #sleep(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#closing.signal }).catch(() => {});
  }
}
