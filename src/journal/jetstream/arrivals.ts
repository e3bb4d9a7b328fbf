import type { NatsConnection } from '@nats-io/transport-node';
import type { Frame } from '../../model/frame.js';
import type { ClaimedFrame } from '../ledger/entry.js';
import type { ClaimVerdict, Ledger } from '../ledger/ledger.js';
import type { JetStreamConnection } from '../nats/connection.js';
import type { AckableMessage } from '../nats/message.js';
import type { JetStreamNames } from '../nats/names.js';
import { JetStreamPull } from '../nats/pull.js';
import type { StreamRepair } from '../nats/stream-repair.js';
import type { DeliveredFrames } from './delivered-frames.js';
import type { OrphanedMessages } from './orphaned-messages.js';

/** A frame that was delivered, and its sequence number. */
export interface Arrival {
  readonly frame: Frame;
  readonly seq: number;
  /** The process that had claimed it before is dead. */
  readonly isInherited: boolean;
}

/** The longest delay until a due retry is seen: while idle, or between two checks under load. */
const RETRY_POLL_MS = 250;

/** How long a frame that another process has claimed is put off before it is checked again. */
const TAKEN_MS = 1000;

interface Pulls {
  readonly nc: NatsConnection;
  readonly fresh: JetStreamPull;
  readonly retry: JetStreamPull;
}

/**
 * Receives frames from the stream's two consumers, fresh frames and retries. Never requests more than the current
 * round may return; retries come first.
 */
export class JetStreamArrivals {
  readonly #connection: JetStreamConnection;
  readonly #names: JetStreamNames;
  readonly #delivered: DeliveredFrames;
  readonly #ledger: Ledger;
  readonly #orphaned: OrphanedMessages;
  readonly #repair: StreamRepair;
  /** Frames that were delivered, before the ledger is asked. */
  #candidates: Omit<Arrival, 'isInherited'>[] = [];
  #pulls: Pulls | null = null;
  #retriesAskedAtMs = 0;
  /** How often requests were abandoned. */
  #abandoned = 0;

  constructor(
    connection: JetStreamConnection,
    names: JetStreamNames,
    delivered: DeliveredFrames,
    ledger: Ledger,
    orphaned: OrphanedMessages,
    repair: StreamRepair,
  ) {
    this.#connection = connection;
    this.#names = names;
    this.#delivered = delivered;
    this.#ledger = ledger;
    this.#orphaned = orphaned;
    this.#repair = repair;
  }

  /** The retries that are due, then fresh frames, waiting a moment for the first; often nothing. See `Source.pull`. */
  async round(framesMax: number, begunMax: number): Promise<Arrival[]> {
    if (!this.#connection.up) {
      await this.#connection.whenUp(RETRY_POLL_MS);
      return [];
    }
    const abandoned = this.#abandoned;
    const { fresh, retry } = this.#currentPulls();
    const nowMs = performance.now();
    if (nowMs - this.#retriesAskedAtMs >= RETRY_POLL_MS) {
      const received = await this.#ask('retries', retry, framesMax, 0);
      // A full answer may not be everything: ask again in the next round.
      if (received < framesMax) this.#retriesAskedAtMs = nowMs;
    }
    if (this.#abandoned !== abandoned) return [];
    await this.#takeOrphaned(framesMax - this.#candidates.length);
    if (this.#abandoned !== abandoned) return [];
    const room = framesMax - this.#candidates.length;
    const waitMs = this.#candidates.length > 0 ? 0 : RETRY_POLL_MS;
    if (room > 0) await this.#ask('fresh frames', fresh, room, waitMs);
    if (this.#abandoned !== abandoned) return [];
    return this.#claim(begunMax);
  }

  async #takeOrphaned(room: number): Promise<void> {
    const { nc } = this.#connection;
    for (const message of await this.#orphaned.take(nc, room)) this.#receive(message, nc);
  }

  /** Returns the number of messages received. */
  async #ask(part: string, pull: JetStreamPull, batch: number, waitMs: number): Promise<number> {
    const { received, refusal } = await pull.request(batch, waitMs);
    if (refusal === '') this.#repair.served(part);
    else if (this.#connection.up) await this.#repair.repair(part, refusal);
    return received;
  }

  /** The connection is lost or closing, and the requests with it: makes the current round return. */
  abandon(): void {
    this.#abandoned++;
    this.#pulls?.fresh.abandon();
    this.#pulls?.retry.abandon();
  }

  /** Of the frames that were delivered, those that this process could claim. */
  async #claim(begunMax: number): Promise<Arrival[]> {
    const candidates = this.#candidates;
    if (candidates.length === 0) return [];
    this.#candidates = [];
    let verdicts: ClaimVerdict[];
    try {
      verdicts = await this.#ledger.claim(this.#wanted(candidates, begunMax));
    } catch {
      // Closed: they are returned to the server with all others.
      return [];
    }
    const nc = this.#connection.up ? this.#connection.nc : null;
    for (const [i, { frame, seq }] of candidates.entries()) {
      this.#orphaned.report(seq, frame.id, verdicts[i]!);
      if (verdicts[i] === 'settled') this.#delivered.drop(frame.id, nc);
      if (verdicts[i] === 'taken') this.#delivered.release(frame.id, nc, TAKEN_MS);
    }
    return candidates.flatMap((candidate, i) => {
      const isInherited = verdicts[i] === 'inherited';
      return isInherited || verdicts[i] === 'ours' ? [{ ...candidate, isInherited }] : [];
    });
  }

  #wanted(candidates: readonly Omit<Arrival, 'isInherited'>[], begunMax: number): ClaimedFrame[] {
    let room = begunMax;
    return candidates.map(({ frame, seq }) => {
      // An order that runs alone is announced when it begins.
      const begun = frame.crashes === undefined ? Math.min(room, frame.count) : 0;
      room -= begun;
      return { id: frame.id, seq, begun };
    });
  }

  #currentPulls(): Pulls {
    const { nc } = this.#connection;
    if (this.#pulls?.nc !== nc) {
      const { stream, freshConsumer, retryConsumer } = this.#names;
      const receive = (message: AckableMessage) => this.#receive(message, nc);
      this.#pulls = {
        nc,
        fresh: new JetStreamPull(nc, stream, freshConsumer, receive),
        retry: new JetStreamPull(nc, stream, retryConsumer, receive),
      };
    }
    return this.#pulls;
  }

  #receive(message: AckableMessage, nc: NatsConnection): void {
    const frame = this.#delivered.admit(message, nc);
    if (frame !== null) this.#candidates.push({ frame, seq: message.seq });
  }
}
