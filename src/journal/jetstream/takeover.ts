import type { ConsumerInfo } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Log } from '../../model/log.js';
import type { LedgerLease } from '../ledger/lease.js';
import type { Ledger } from '../ledger/ledger.js';
import type { LedgerPeers } from '../ledger/peers.js';
import { type JetStreamConnection, managerOf } from '../nats/connection.js';
import { nakDelivered } from '../nats/message.js';
import type { JetStreamNames } from '../nats/names.js';
import type { DeliveredFrames } from './delivered-frames.js';

/** How often it is checked whether a process has died. */
const CHECK_MS = 250;

/**
 * How often, and at what interval, the messages of one dead process are returned: another process may get one of them
 * before it counts the claimant as dead too, or die with it. What is left comes after ack_wait.
 */
const TRIES_MAX = 3;
const TRY_MS = 2000;

/**
 * Messages that are returned although nobody has claimed them, per consumer, newest first: the dead process may have
 * received them just before. Fewer retries, because those that are not due are pending too, and are delivered in vain.
 */
const UNCLAIMED_FRESH_MAX = 10_000;
const UNCLAIMED_RETRIES_MAX = 1000;

/** Published in one turn of the event loop. */
const GROUP_MAX = 1000;

export interface TakeoverParts {
  readonly connection: JetStreamConnection;
  readonly names: JetStreamNames;
  readonly delivered: DeliveredFrames;
  readonly ledger: Pick<Ledger, 'catchUp' | 'messages'>;
  readonly lease: Pick<LedgerLease, 'term' | 'onTerm'>;
  readonly peers: Pick<LedgerPeers, 'dead'>;
  readonly log: Log;
}

interface Tries {
  count: number;
  lastAtMs: number;
}

/**
 * Makes the server deliver again at once what a dead process had, instead of after ack_wait: at the first start, what
 * the last run on this data folder had; later, what other processes had whose lease is over. Who processes a frame is
 * still decided by the ledger alone, so it does no harm if a message is returned that a live process has: its frame is
 * refused to whoever gets it.
 */
export class Takeover {
  readonly #parts: TakeoverParts;
  readonly #timer: NodeJS.Timeout;
  readonly #tries = new Map<string, Tries>();
  /** What earlier runs of this process had, is returned. */
  #isOwnReturned = false;
  #isRunning = false;

  constructor(parts: TakeoverParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => void this.#check(), CHECK_MS);
    this.#timer.unref();
    parts.lease.onTerm(() => {
      // After the other listeners, when the term has begun.
      setImmediate(() => void this.#check());
    });
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #check(): Promise<void> {
    const { connection, lease } = this.#parts;
    if (this.#isRunning || lease.term === 0 || !connection.up) return;
    const dead = this.#dueDead();
    if (this.#isOwnReturned && dead.length === 0) return;
    this.#isRunning = true;
    try {
      await this.#takeOver(connection.nc, dead);
      this.#isOwnReturned = true;
    } catch {
      // NATS is away: the next check follows.
    } finally {
      this.#isRunning = false;
    }
  }

  /** Processes that are dead and whose messages are to be returned now. */
  #dueDead(): string[] {
    const { peers, ledger } = this.#parts;
    const dead = new Set([...peers.dead(), ...ledger.messages().dead.keys()]);
    for (const peer of this.#tries.keys()) if (!dead.has(peer)) this.#tries.delete(peer);
    const nowMs = performance.now();
    return [...dead].filter((peer) => {
      const { count, lastAtMs } = this.#tries.get(peer) ?? { count: 0, lastAtMs: 0 };
      return count === 0 || (count < TRIES_MAX && nowMs - lastAtMs >= TRY_MS);
    });
  }

  async #takeOver(nc: NatsConnection, peers: readonly string[]): Promise<void> {
    const { ledger, delivered } = this.#parts;
    await ledger.catchUp();
    const { live, dead, abandoned } = ledger.messages();
    const held = new Set([...live, ...delivered.seqs()]);
    const left = new Set(peers.flatMap((peer) => dead.get(peer) ?? []));
    if (!this.#isOwnReturned) {
      for (const seq of abandoned) if (!held.has(seq)) left.add(seq);
    }
    await this.#returnTo(nc, held, left);
    for (const peer of peers) this.#noteTry(peer, dead.get(peer)?.length ?? 0);
  }

  #noteTry(peer: string, frames: number): void {
    const count = (this.#tries.get(peer)?.count ?? 0) + 1;
    this.#tries.set(peer, { count, lastAtMs: performance.now() });
    // One that was stopped has left nothing.
    if (count > 1 || frames === 0) return;
    this.#parts.log(
      'instance-lost',
      `instance ${peer} sends no heartbeats any more: what it had is delivered again now`,
      { frames },
    );
  }

  /**
   * @param held messages that live processes have
   * @param left messages that dead processes have claimed
   */
  async #returnTo(
    nc: NatsConnection,
    held: ReadonlySet<number>,
    left: ReadonlySet<number>,
  ): Promise<void> {
    const { names } = this.#parts;
    const { stream, freshConsumer, retryConsumer } = names;
    const manager = await managerOf(nc);
    for (const [consumer, unclaimedMax] of [
      [freshConsumer, UNCLAIMED_FRESH_MAX],
      [retryConsumer, UNCLAIMED_RETRIES_MAX],
    ] as const) {
      const info = await manager.consumers.info(stream, consumer);
      if (info.num_ack_pending === 0) continue;
      const seqs = pendingOf(info, held, left, unclaimedMax);
      const from = { stream, consumer, consumerSeq: info.delivered.consumer_seq };
      for (let at = 0; at < seqs.length; at += GROUP_MAX) {
        for (const seq of seqs.slice(at, at + GROUP_MAX)) nakDelivered(nc, from, seq);
        await nc.flush();
      }
    }
  }
}

/** What the consumer may have delivered to a dead process, oldest first. */
function pendingOf(
  { ack_floor, delivered }: ConsumerInfo,
  held: ReadonlySet<number>,
  left: ReadonlySet<number>,
  unclaimedMax: number,
): number[] {
  const [floor, last] = [ack_floor.stream_seq, delivered.stream_seq];
  const found = new Set([...left].filter((seq) => seq > floor && seq <= last));
  for (let seq = Math.max(floor, last - unclaimedMax) + 1; seq <= last; seq++) {
    if (!held.has(seq)) found.add(seq);
  }
  return [...found].sort((a, b) => a - b);
}
