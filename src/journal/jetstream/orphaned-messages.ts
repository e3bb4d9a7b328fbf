import type { JetStreamManager, StoredMsg } from '@nats-io/jetstream';
import type { MsgHdrs, NatsConnection } from '@nats-io/transport-node';
import type { Log } from '../../model/log.js';
import type { ClaimVerdict } from '../ledger/ledger.js';
import { managerOf } from '../nats/connection.js';
import { ACK_WAIT_MS } from '../nats/declarations.js';
import { type AckableMessage, removeMessage, storedHeaders } from '../nats/message.js';
import type { JetStreamNames } from '../nats/names.js';
import type { DeliveredFrames } from './delivered-frames.js';

/** Longer than the server may take to remove what was acknowledged, for example during a change of leader. */
const ORPHANED_MS_MIN = 1.5 * ACK_WAIT_MS;

/** The drain waits for the answer, and this is not urgent. */
const ANSWER_MS_MAX = 1000;

interface Queue {
  readonly consumer: string;
  readonly subject: string;
  /** Distinguishes the consumer from an earlier one of the same name. */
  created: string;
  /** At the last check: the consumer counts all messages up to here as acknowledged. */
  floor: number;
}

/** Where to look for messages that were acknowledged long enough ago. */
interface Range {
  readonly subject: string;
  nextSeq: number;
  readonly lastSeq: number;
}

export interface OrphanedMessagesParts {
  readonly names: JetStreamNames;
  readonly delivered: DeliveredFrames;
  readonly log: Log;
  /** How long a message must have been acknowledged, in milliseconds; by default longer than ack_wait. */
  readonly msMin?: number | undefined;
}

/**
 * Messages that are still in the stream although their consumer counts them as acknowledged, so that it never
 * delivers them. A power cut can cause that: the consumer's state was on disk, the removal from the stream was not. A
 * single server (2.15) never removes them.
 *
 * None is deleted on the consumer's word. They are treated like delivered messages, and the ledger decides: a frame
 * that is settled leaves the stream, a frame that another process has claimed is left to it, and any other **is
 * processed**. So an order that was never processed is safe, whatever made the consumer skip it: it was created with
 * another delivery policy, restored from a backup, or acknowledged by another program. Forebay acknowledges only what
 * is settled, and the ledger knew that before; a frame that it does not know was settled longer ago than the ledger
 * is kept, and is processed again rather than dropped on a guess.
 *
 * Consumers are checked every `msMin`. What was below the ack floor at the last check, of the same consumer, and
 * still is, was acknowledged at least that long ago. An outdated floor, from a server that was the leader, is lower
 * and only delays the check.
 */
export class OrphanedMessages {
  readonly #parts: OrphanedMessagesParts;
  readonly #msMin: number;
  readonly #queues: readonly Queue[];
  #ranges: Range[] = [];
  #checkedAtMs = Number.NEGATIVE_INFINITY;
  /** Returned by `take`, verdict not reported yet. */
  readonly #taken = new Set<number>();

  constructor(parts: OrphanedMessagesParts) {
    const { freshConsumer, freshSubject, retryConsumer, retrySubject } = parts.names;
    this.#parts = parts;
    this.#msMin = parts.msMin ?? ORPHANED_MS_MIN;
    this.#queues = [
      { consumer: freshConsumer, subject: freshSubject, created: '', floor: 0 },
      { consumer: retryConsumer, subject: retrySubject, created: '', floor: 0 },
    ];
  }

  /** At most `room` of them; usually none, without a request to the server. */
  async take(nc: NatsConnection, room: number): Promise<AckableMessage[]> {
    const nowMs = performance.now();
    const isDue = nowMs - this.#checkedAtMs >= this.#msMin;
    if (!isDue && this.#ranges.length === 0) return [];
    try {
      const manager = await managerOf(nc, { timeout: ANSWER_MS_MAX });
      if (isDue) {
        this.#checkedAtMs = nowMs;
        await this.#check(manager);
      }
      return await this.#next(manager, room);
    } catch {
      // The server is away, or the consumer is missing. Other parts report that; the next check follows.
      this.#ranges = [];
      return [];
    }
  }

  /** To be called with the ledger's verdict on every frame; those that a consumer delivered are ignored. */
  report(seq: number, frameId: string, verdict: ClaimVerdict): void {
    if (!this.#taken.delete(seq) || verdict === 'taken') return;
    const { log, names } = this.#parts;
    const what = `NATS kept message ${seq} of ${names.stream}, which is acknowledged: frame ${frameId}`;
    if (verdict === 'settled') log('stranded-removed', `${what} is settled, so it is removed`);
    else log('stranded-processed', `${what} is not known to be settled, so it is processed`);
  }

  async #check(manager: JetStreamManager): Promise<void> {
    const { stream } = this.#parts.names;
    this.#ranges = [];
    this.#taken.clear();
    for (const queue of this.#queues) {
      const info = await manager.consumers.info(stream, queue.consumer);
      const floor = info.ack_floor.stream_seq;
      const created = String(info.created);
      const lastSeq = created === queue.created ? Math.min(queue.floor, floor) : 0;
      Object.assign(queue, { created, floor });
      if (lastSeq > 0) this.#ranges.push({ subject: queue.subject, nextSeq: 1, lastSeq });
    }
  }

  async #next(manager: JetStreamManager, room: number): Promise<AckableMessage[]> {
    const { names, delivered } = this.#parts;
    const taken: AckableMessage[] = [];
    while (taken.length < room && this.#ranges.length > 0) {
      const range = this.#ranges[0]!;
      // The server accepts both together (ADR-31); the client's type allows it for direct gets only.
      const query = { seq: range.nextSeq, next_by_subj: range.subject } as { seq: number };
      const found = await manager.streams.getMessage(names.stream, query);
      if (found === null || found.seq > range.lastSeq) {
        this.#ranges.shift();
        continue;
      }
      range.nextSeq = found.seq + 1;
      // It was delivered all the same: its consumer takes the acknowledgement.
      if (delivered.has(storedHeaders(found).get('Nats-Msg-Id'), found.seq)) continue;
      this.#taken.add(found.seq);
      taken.push(new OrphanedMessage(found, names.stream));
    }
    return taken;
  }
}

/**
 * Removed from the stream instead of acknowledged, because the consumer would ignore that. There is nothing to return
 * or to keep alive.
 */
class OrphanedMessage implements AckableMessage {
  readonly subject: string;
  readonly headers: MsgHdrs;
  readonly payload: Uint8Array;
  readonly seq: number;
  readonly storedAtNs: string;
  readonly #stream: string;

  constructor(found: StoredMsg, stream: string) {
    this.subject = found.subject;
    this.headers = storedHeaders(found);
    this.payload = found.data;
    this.seq = found.seq;
    this.storedAtNs = epochNs(found.timestamp);
    this.#stream = stream;
  }

  async ackConfirmed(nc: NatsConnection): Promise<void> {
    await removeMessage(nc, this.#stream, this.seq, this.headers.get('Nats-Msg-Id'));
  }

  /** A message that is not removed is found again. */
  ack(nc: NatsConnection): void {
    this.ackConfirmed(nc).catch(() => {});
  }

  nak(): void {}

  keepAlive(): void {}
}

/** From RFC 3339 with up to nine decimals; `Date` keeps three. */
function epochNs(timestamp: string): string {
  const decimals = /\.(\d+)/.exec(timestamp)?.[1] ?? '';
  return `${Math.floor(Date.parse(timestamp) / 1000)}${decimals.padEnd(9, '0')}`;
}
