import type { NatsConnection } from '@nats-io/transport-node';
import type { JetStreamConnection } from './jetstream-connection.js';
import type { JetStreamNames } from './jetstream-names.js';

const BEAT_MS = 2000;

/**
 * Who has not been heard of for so long is taken for dead. Shorter than JetStream's ack wait, so that
 * whoever gets a dead process's frames may take them; longer than any pause of a process that lives.
 */
const LEASE_MS = 20_000;

/** Which other processes that share the stream are alive: each says so every two seconds. */
export class LedgerPeers {
  readonly #connection: JetStreamConnection;
  readonly #subject: string;
  readonly #self: string;
  readonly #heardAtMs = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;
  readonly #stopListening: () => void;
  #subscribed: NatsConnection | null = null;
  #upSinceMs = Number.POSITIVE_INFINITY;

  constructor(connection: JetStreamConnection, names: JetStreamNames, self: string) {
    this.#connection = connection;
    this.#subject = names.aliveSubject;
    this.#self = self;
    this.#stopListening = connection.onChange((up) => this.#onChange(up));
    this.#timer = setInterval(() => this.#beat(), BEAT_MS);
    this.#timer.unref();
  }

  /**
   * Presumes life of everyone until it has listened for a whole lease: after an outage the others need as long as
   * this one to be back.
   */
  isAlive(peer: string): boolean {
    const heardAtMs = this.#heardAtMs.get(peer) ?? 0;
    return performance.now() - Math.max(heardAtMs, this.#upSinceMs) < LEASE_MS;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#stopListening();
  }

  #onChange(up: boolean): void {
    this.#upSinceMs = up ? performance.now() : Number.POSITIVE_INFINITY;
    if (!up) return;
    const { nc } = this.#connection;
    // The client subscribes again by itself when it reconnects.
    if (this.#subscribed !== nc) {
      nc.subscribe(this.#subject, {
        callback: (_error, message) => {
          this.#heardAtMs.set(message.string(), performance.now());
        },
      });
      this.#subscribed = nc;
    }
    this.#beat();
  }

  #beat(): void {
    if (this.#connection.up) this.#connection.nc.publish(this.#subject, this.#self);
  }
}
