import type { NatsConnection } from '@nats-io/transport-node';
import type { JetStreamConnection } from '../nats/connection.js';
import type { JetStreamNames } from '../nats/names.js';
import type { ClaimedFrame } from './entry.js';

const HEARTBEAT_MS = 500;

/**
 * A process that was not heard for this long counts as dead. Longer than a live process is usually silent: it collects
 * garbage, waits for the processor, or reconnects.
 */
const LEASE_MS = 7000;

/** The lease of 0.2.0 and older versions, which send a heartbeat every two seconds. */
const OLD_LEASE_MS = 20_000;

/**
 * The lease for as long after NATS was in trouble: this process had lost its connection, or the ledger or a consumer did
 * not answer. The others may still be without a connection, and what they have processed and cannot settle yet would be
 * processed twice.
 */
const OUTAGE_LEASE_MS = 20_000;

/**
 * A process whose own heartbeats have not come back for this long must expect that others will count it as dead
 * before it can finish what it begins. The rest of the lease covers what it has just begun, and the drift of clocks.
 */
const UNHEARD_MS_MAX = 3500;

/** How long the process that made a claim may be silent before it counts as dead: only newer versions note the message. */
export function leaseMsOf({ seq }: Pick<ClaimedFrame, 'seq'>): number {
  return seq > 0 ? LEASE_MS : OLD_LEASE_MS;
}

/**
 * How long this process sends heartbeats after JetStream last served it, if it has a connection: a cluster that has lost a
 * node elects leaders for half a minute, and what this process has processed and cannot settle yet should stay its own.
 */
const UNSERVED_MS_MAX = 60_000;

/** After a refused subscription to the heartbeats, the next try: the server logs each refusal. */
const RESUBSCRIBE_MS = 5000;

interface Heartbeat {
  /** By `performance.now()`, which stops while a virtual machine is paused; and by the wall clock. */
  readonly tickMs: number;
  readonly epochMs: number;
}

/**
 * Which other processes on the stream are alive: each sends a heartbeat twice a second. A process also receives
 * its own heartbeats through the server, and so knows whether the others can have heard it: after a pause or a
 * disconnection, it can tell that its lease may have expired.
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
  /** When the server refused the subscription, which ends it. */
  #refusedAtMs = Number.POSITIVE_INFINITY;
  /** Since when every heartbeat of every process would have been received. */
  #listeningSinceMs = Number.POSITIVE_INFINITY;
  readonly #isTroubled: () => boolean;
  /** When NATS was last known to be in trouble. */
  #troubledAtMs = Number.NEGATIVE_INFINITY;
  /** When JetStream last served this process. */
  #servedAtMs = Number.NEGATIVE_INFINITY;
  #lapses = 0;
  /** When the last of its own heartbeats that came back was sent. */
  #ownHeartbeat: Heartbeat | null = null;

  /** @param isTroubled whether a part of the journal on NATS does not answer now */
  constructor(
    connection: JetStreamConnection,
    names: JetStreamNames,
    self: string,
    isTroubled: () => boolean = () => false,
  ) {
    this.#isTroubled = isTroubled;
    this.#connection = connection;
    this.#subject = names.aliveSubject;
    this.#self = self;
    this.#stopListening = connection.onChange((up) => this.#onChange(up));
    this.#timer = setInterval(() => this.#beat(), HEARTBEAT_MS);
    this.#timer.unref();
  }

  /**
   * Presumes that a process is alive until this one has listened for a whole lease: after an outage, the others need
   * as long as this one to be back.
   */
  isAlive(peer: string, leaseMs = LEASE_MS): boolean {
    if (!this.isHeard) return true;
    const heardAtMs = this.#heardAtMs.get(peer) ?? 0;
    const nowMs = performance.now();
    if (this.#isTroubled()) this.trouble();
    const isCalm = nowMs - this.#troubledAtMs >= OUTAGE_LEASE_MS;
    const neededMs = isCalm ? leaseMs : Math.max(leaseMs, OUTAGE_LEASE_MS);
    return nowMs - Math.max(heardAtMs, this.#listeningSinceMs) < neededMs;
  }

  /** NATS does not take entries of the ledger, or does not answer. */
  trouble(): void {
    this.#troubledAtMs = performance.now();
  }

  /** Whether another process on the stream was heard within a lease. */
  hasOthers(): boolean {
    const sinceMs = performance.now() - LEASE_MS;
    return [...this.#heardAtMs].some(([peer, atMs]) => peer !== this.#self && atMs > sinceMs);
  }

  /** Processes that were heard and are dead now. */
  dead(): string[] {
    return [...this.#heardAtMs.keys()].filter((peer) => !this.isAlive(peer));
  }

  /** For how long this process has listened to that one and not heard it; milliseconds. */
  silentMs(peer: string): number {
    if (!this.isHeard) return 0;
    return performance.now() - Math.max(this.#heardAtMs.get(peer) ?? 0, this.#listeningSinceMs);
  }

  /** Whether other processes count this one as alive, and will for some more seconds, and JetStream serves it. */
  get isHeard(): boolean {
    if (this.#ownHeartbeat === null) return false;
    const { tickMs, epochMs } = this.#ownHeartbeat;
    return performance.now() - tickMs < UNHEARD_MS_MAX && Date.now() - epochMs < UNHEARD_MS_MAX;
  }

  /** How often it has come to be heard, the first time included: the same number means that it was heard all the time. */
  get lapses(): number {
    return this.#lapses;
  }

  /** `listener` is called with each own heartbeat that has come back. */
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
    if (this.#subscribed !== null) this.trouble();
    const { nc } = this.#connection;
    // The client subscribes again by itself when it reconnects.
    if (this.#subscribed !== nc) this.#subscribe(nc);
    this.#sendHeartbeat();
  }

  #subscribe(nc: NatsConnection): void {
    this.#subscribed = nc;
    this.#refusedAtMs = Number.POSITIVE_INFINITY;
    nc.subscribe(this.#subject, {
      callback: (error, message) => {
        if (error === null) this.#receive(message.string());
        else this.#refusedAtMs = performance.now();
      },
    });
  }

  #receive(text: string): void {
    const [who, tickMs, epochMs] = text.split(' ');
    this.#heardAtMs.set(who!, performance.now());
    // Without JetStream it cannot read what others have claimed since: it starts nothing, as if it was not heard.
    if (who !== this.#self || !this.#connection.up) return;
    const heartbeat = { tickMs: Number(tickMs), epochMs: Number(epochMs) };
    // From an earlier run of this process, whose clock had another origin, or from before a pause.
    if (
      !(heartbeat.tickMs <= performance.now()) ||
      !(heartbeat.tickMs > (this.#ownHeartbeat?.tickMs ?? 0))
    )
      return;
    if (!this.isHeard) {
      this.#lapses++;
      this.#listeningSinceMs = performance.now();
    }
    this.#ownHeartbeat = heartbeat;
    if (this.isHeard) for (const listener of this.#onHeard) listener();
  }

  #beat(): void {
    const refusedMs = performance.now() - this.#refusedAtMs;
    const { up } = this.#connection;
    if (up && refusedMs >= RESUBSCRIBE_MS) this.#subscribe(this.#connection.nc);
    this.#sendHeartbeat();
  }

  /** Includes the time of sending: the heartbeat may come back to a process that was paused meanwhile. */
  #sendHeartbeat(): void {
    const { up, linked } = this.#connection;
    const nowMs = performance.now();
    if (up) this.#servedAtMs = nowMs;
    if (!linked || nowMs - this.#servedAtMs > UNSERVED_MS_MAX) return;
    this.#connection.nc.publish(this.#subject, `${this.#self} ${nowMs} ${Date.now()}`);
  }
}
