import type { NatsConnection } from '@nats-io/transport-node';
import type { JetStreamConnection } from '../nats/connection.js';
import type { JetStreamNames } from '../nats/names.js';

const BEAT_MS = 2000;

/**
 * Who has not been heard of for so long is taken for dead. Shorter than JetStream's ack wait, so that
 * whoever gets a dead process's frames may take them; longer than any pause of a process that lives.
 */
const LEASE_MS = 20_000;

/**
 * Whose own beats have not come back for so long must expect that the others take it for dead before it can finish
 * what it begins.
 */
const UNHEARD_MS_MAX = 12_000;

interface Beat {
  /** On the clock of `performance.now()`, which stands still while a virtual machine does; and on the wall clock. */
  readonly tickMs: number;
  readonly epochMs: number;
}

/**
 * Which other processes that share the stream are alive: each says so every two seconds. What it says it hears itself,
 * by way of the server, and so knows whether the others can have heard it: a process that was stopped for a
 * while, or is cut off, can tell that its lease may be over.
 */
export class LedgerPeers {
  readonly #connection: JetStreamConnection;
  readonly #subject: string;
  readonly #self: string;
  readonly #heardAtMs = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;
  readonly #stopListening: () => void;
  readonly #onHeard = new Set<() => void>();
  #subscribed: NatsConnection | null = null;
  /** Since when every beat of everyone would have been heard. */
  #listeningSinceMs = Number.POSITIVE_INFINITY;
  /** When the last beat that came back was sent. */
  #ownBeat: Beat | null = null;

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
    if (!this.isHeard) return true;
    const heardAtMs = this.#heardAtMs.get(peer) ?? 0;
    return performance.now() - Math.max(heardAtMs, this.#listeningSinceMs) < LEASE_MS;
  }

  /** Whether the others take this process for alive, and will for some seconds yet. */
  get isHeard(): boolean {
    if (this.#ownBeat === null) return false;
    const { tickMs, epochMs } = this.#ownBeat;
    return performance.now() - tickMs < UNHEARD_MS_MAX && Date.now() - epochMs < UNHEARD_MS_MAX;
  }

  /** `listener` is called with each own beat that has come back. */
  onHeard(listener: () => void): void {
    this.#onHeard.add(listener);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#stopListening();
  }

  #onChange(up: boolean): void {
    this.#listeningSinceMs = up ? performance.now() : Number.POSITIVE_INFINITY;
    if (!up) return;
    const { nc } = this.#connection;
    // The client subscribes again by itself when it reconnects.
    if (this.#subscribed !== nc) {
      nc.subscribe(this.#subject, {
        callback: (_error, message) => this.#hear(message.string()),
      });
      this.#subscribed = nc;
    }
    this.#beat();
  }

  #hear(said: string): void {
    const [who, tickMs, epochMs] = said.split(' ');
    this.#heardAtMs.set(who!, performance.now());
    if (who !== this.#self) return;
    const beat = { tickMs: Number(tickMs), epochMs: Number(epochMs) };
    // One of an earlier life of this process, whose clock had another origin, or from before a pause.
    if (!(beat.tickMs <= performance.now()) || !(beat.tickMs > (this.#ownBeat?.tickMs ?? 0)))
      return;
    if (!this.isHeard) this.#listeningSinceMs = performance.now();
    this.#ownBeat = beat;
    if (this.isHeard) for (const listener of this.#onHeard) listener();
  }

  /** When it was sent stands in it, for it may come back to a process that was stopped meanwhile. */
  #beat(): void {
    if (!this.#connection.up) return;
    const { nc } = this.#connection;
    nc.publish(this.#subject, `${this.#self} ${performance.now()} ${Date.now()}`);
  }
}
