import type { NatsConnection } from '@nats-io/transport-node';
import type { Log } from '../../model/log.js';
import { type JetStreamConnection, managerOf } from './connection.js';
import type { Declaration } from './declarations.js';
import { findDeclared } from './declare.js';
import { differenceOf, pauseOf } from './settings.js';

const CHECK_MS = 5000;

export interface SettingsWatchParts {
  readonly connection: JetStreamConnection;
  readonly wanted: readonly Declaration[];
  readonly replicas: number;
  readonly log: Log;
}

/**
 * Looks periodically whether the streams and consumers of the journal still have the settings that it needs: an
 * operator can change or pause them while the connection stays, and then NATS answers although orders are not
 * delivered. What is missing is not reported here: `StreamRepair` creates it again.
 */
export class SettingsWatch {
  readonly #parts: SettingsWatchParts;
  readonly #timer: NodeJS.Timeout;
  readonly #stopListening: () => void;
  #reason = '';
  #isChecking = false;

  constructor(parts: SettingsWatchParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => void this.#check(), CHECK_MS);
    this.#timer.unref();
    this.#stopListening = parts.connection.onChange((up) => {
      if (up) void this.#check();
    });
  }

  /** Which setting keeps orders from being delivered, in one line; empty when none does. */
  get reason(): string {
    return this.#reason;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#stopListening();
  }

  async #check(): Promise<void> {
    const { connection, log } = this.#parts;
    if (this.#isChecking || !connection.up) return;
    this.#isChecking = true;
    try {
      const found = await this.#find(connection.nc);
      if (found !== '' && found !== this.#reason) log('journal-broken', found);
      if (found === '' && this.#reason !== '')
        log('journal-repaired', 'streams and consumers of NATS have the needed settings again');
      this.#reason = found;
    } catch {
      // NATS is away, or does not serve a stream: others report that, and the last result stands.
    } finally {
      this.#isChecking = false;
    }
  }

  async #find(nc: NatsConnection): Promise<string> {
    const { wanted, replicas } = this.#parts;
    const manager = await managerOf(nc);
    for (const declaration of wanted) {
      const info = await findDeclared(manager, declaration);
      if (info === null) continue;
      const why = differenceOf(declaration, info, replicas) || pauseOf(declaration, info);
      if (why !== '') return why;
    }
    return '';
  }
}
