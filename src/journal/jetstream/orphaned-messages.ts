import type { JetStreamManager, StoredMsg } from '@nats-io/jetstream';
import type { MsgHdrs, NatsConnection } from '@nats-io/transport-node';
import type { Log } from '../../model/log.js';
import type { ClaimVerdict } from '../ledger/ledger.js';
import { managerOf } from '../nats/connection.js';
import { ACK_WAIT_MS } from '../nats/declare.js';
import { type AckableMessage, removeMessage } from '../nats/message.js';
import type { JetStreamNames } from '../nats/names.js';
import type { DeliveredFrames } from './delivered-frames.js';

/** Longer than the server may take to remove what was acknowledged, by a change of leader say. */
const ORPHANED_MS_MIN = 1.5 * ACK_WAIT_MS;

/** The drain waits for the answer, and there is no hurry: rather later. */
const ANSWER_MS_MAX = 1000;

interface Queue {
  readonly consumer: string;
  readonly subject: string;
  /** Tells the consumer from one of the same name that was there before. */
  created: string;
  /** At the last look: the consumer takes all messages up to here for acknowledged. */
  floor: number;
}

/** Where to look for messages that have been acknowledged for long enough. */
interface Range {
  readonly subject: string;
  nextSeq: number;
  readonly lastSeq: number;
}

export interface OrphanedMessagesParts {
  readonly names: JetStreamNames;
  readonly delivered: DeliveredFrames;
  readonly log: Log;
  /** How long a message must have been acknowledged; milliseconds, left out: longer than ack_wait. */
  readonly msMin?: number | undefined;
}

/**
 * Messages that are in the stream although their consumer takes them for acknowledged, so that it never delivers them. A power cut leaves
 * such: the consumer's state was on disk, the removal from the stream was not. A server that stands alone (2.15) leaves them there for ever.
 *
 * None is deleted for what its consumer thinks. They are taken in like messages that were delivered, and the ledger decides: what it knows as
 * settled leaves the stream; what another process has in hand is left to that; anything else **is processed**. So an order is safe that nobody
 * processed, however the consumer came to be ahead of it: made by somebody with a delivery policy of his own, restored
 * from a backup, told by another program. An ack is sent only for what is settled, and the ledger knew that
 * before: what it does not know was settled longer ago than the ledger is remembered, and is processed again
 * rather than dropped on a guess.
 *
 * Consumers are looked at every `msMin`; what lay below the floor at the last look, of the same consumer, and lies below it still, has
 * been acknowledged for at least that long. A floor that is out of date, told by a server that was the leader, is
 * lower, and only makes for a later look.
 */
export class OrphanedMessages {
  readonly #parts: OrphanedMessagesParts;
  readonly #msMin: number;
  readonly #queues: readonly Queue[];
  #ranges: Range[] = [];
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  /** Taken, and not told yet what becomes of them. */
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

  /** At most `room` of them; mostly none, without asking the server. */
  async take(nc: NatsConnection, room: number): Promise<AckableMessage[]> {
    const nowMs = performance.now();
    const isDue = nowMs - this.#lookedAtMs >= this.#msMin;
    if (!isDue && this.#ranges.length === 0) return [];
    try {
      const manager = await managerOf(nc, { timeout: ANSWER_MS_MAX });
      if (isDue) {
        this.#lookedAtMs = nowMs;
        await this.#look(manager);
      }
      return await this.#next(manager, room);
    } catch {
      // Away, or without that consumer: others see to that, and the next look comes.
      this.#ranges = [];
      return [];
    }
  }

  /** What the ledger says of a frame that came; nothing is told of those that came by a consumer. */
  report(seq: number, frameId: string, verdict: ClaimVerdict): void {
    if (!this.#taken.delete(seq) || verdict === 'taken') return;
    const { log, names } = this.#parts;
    const what = `NATS kept message ${seq} of ${names.stream}, which counts as acknowledged there: frame ${frameId}`;
    if (verdict === 'settled') log('stranded-removed', `${what} was settled; it is removed`);
    else log('stranded-processed', `${what} is not known as settled; it is processed`);
  }

  async #look(manager: JetStreamManager): Promise<void> {
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
      // The server takes both together (ADR-31); the client's type knows of that for direct gets only.
      const query = { seq: range.nextSeq, next_by_subj: range.subject } as { seq: number };
      const found = await manager.streams.getMessage(names.stream, query);
      if (found === null || found.seq > range.lastSeq) {
        this.#ranges.shift();
        continue;
      }
      range.nextSeq = found.seq + 1;
      // Delivered all the same: the consumer that did so hears of it.
      if (delivered.has(found.header.get('Nats-Msg-Id'), found.seq)) continue;
      this.#taken.add(found.seq);
      taken.push(new OrphanedMessage(found, names.stream));
    }
    return taken;
  }
}

/** The consumer would not hear an ack: it is taken out of the stream, and there is nothing to be put back or kept alive. */
class OrphanedMessage implements AckableMessage {
  readonly subject: string;
  readonly headers: MsgHdrs;
  readonly payload: Uint8Array;
  readonly seq: number;
  readonly storedAtNs: string;
  readonly #stream: string;

  constructor(found: StoredMsg, stream: string) {
    this.subject = found.subject;
    this.headers = found.header;
    this.payload = found.data;
    this.seq = found.seq;
    this.storedAtNs = epochNs(found.timestamp);
    this.#stream = stream;
  }

  async ackConfirmed(nc: NatsConnection): Promise<void> {
    await removeMessage(nc, this.#stream, this.seq, this.headers.get('Nats-Msg-Id'));
  }

  /** What is not removed is found again. */
  ack(nc: NatsConnection): void {
    this.ackConfirmed(nc).catch(() => {});
  }

  nak(): void {}

  keepAlive(): void {}
}

/** From RFC 3339 with up to nine decimals, of which `Date` knows three. */
function epochNs(timestamp: string): string {
  const decimals = /\.(\d+)/.exec(timestamp)?.[1] ?? '';
  return `${Math.floor(Date.parse(timestamp) / 1000)}${decimals.padEnd(9, '0')}`;
}
