import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { managerOf } from '../nats/connection.js';
import type { JetStreamNames } from '../nats/names.js';
import type { StreamRepair } from '../nats/stream-repair.js';

/** Parts of the journal as `StreamRepair` reports them. */
const ORDERS_PART = 'stream of orders';
const DEAD_LETTERS_PART = 'dead letters';

/**
 * An estimate of how many orders the stream holds. Frames that this process stored are counted in
 * orders, exactly. Of those that were there before, the server tells only how many messages they are:
 * each is taken for the mean of the first and the last. What another process stores (dead letters that
 * are replayed, another Forebay) shows within a second, as one order a message at least. Whenever the stream is
 * empty and nothing is going on, the estimate is set to 0, so that errors do not add up.
 */
export class JetStreamBacklog {
  readonly #names: JetStreamNames;
  readonly #acceptedOrders: () => number;
  readonly #steady: StreamPoll;
  #acceptedBefore = 0;
  /** Orders that this process filed again less those that it settled, of frames of its own time. */
  #balance = 0;
  /** The last message that was there before, how many were, and how many orders each is taken for. */
  #earlierSeqMax = -1;
  #earlierFrames = 0;
  #earlierFrameOrders = 1;
  #oldestAcceptedAtMs = 0;
  #settling = 0;
  #settlements = 0;
  /** Messages to be delivered or in hand at the last look, and the frames settled here before that and in all. */
  #messages = 0;
  #settledBeforeLook = 0;
  #settledFrames = 0;

  constructor(names: JetStreamNames, acceptedOrders: () => number, repair: StreamRepair) {
    this.#names = names;
    this.#acceptedOrders = acceptedOrders;
    this.#steady = new StreamPoll(ORDERS_PART, repair, (manager) => this.#look(manager));
  }

  orders(): number {
    const earlier = this.#earlierFrames * this.#earlierFrameOrders;
    const own = this.#acceptedOrders() - this.#acceptedBefore + this.#balance;
    const messages = this.#messages - (this.#settledFrames - this.#settledBeforeLook);
    return Math.max(0, messages, Math.round(earlier + own));
  }

  /** As of the last look at the stream, at most about a second ago. */
  oldestAcceptedAtMs(): number {
    return this.#oldestAcceptedAtMs;
  }

  /** To be called whenever the connection has come up. */
  start(nc: NatsConnection): Promise<void> {
    return this.#steady.start(nc);
  }

  stop(): void {
    this.#steady.stop();
  }

  /** To be called before a settlement's first step: what the stream holds is in flux from then on. */
  settleStarts(): void {
    this.#settling++;
    this.#settlements++;
  }

  /** The settlement has ended; `orders` left the frame at `seq`, of which `refiled` were filed again. */
  settleEnds(seq: number, orders: number, refiled: number): void {
    this.#settling--;
    if (orders > 0) this.#settledFrames++;
    this.#balance += refiled;
    if (seq > this.#earlierSeqMax) this.#balance -= orders;
    else if (orders > 0) this.#earlierFrames = Math.max(0, this.#earlierFrames - 1);
  }

  async #countEarlier(manager: JetStreamManager): Promise<void> {
    const { state } = await manager.streams.info(this.#names.stream);
    const first = await this.#count(manager, state.first_seq);
    const last = await this.#count(manager, state.last_seq);
    this.#acceptedBefore = this.#acceptedOrders();
    this.#balance = 0;
    this.#earlierFrames = state.messages;
    this.#earlierFrameOrders = (first + last) / 2;
    this.#earlierSeqMax = state.last_seq;
  }

  /** Orders of one message; 1 when it is gone or not a frame. */
  async #count(manager: JetStreamManager, seq: number): Promise<number> {
    const found = seq > 0 ? await manager.streams.getMessage(this.#names.stream, { seq }) : null;
    return Number(found?.header.get('Forebay-Count')) || 1;
  }

  async #look(manager: JetStreamManager): Promise<void> {
    if (this.#earlierSeqMax < 0) await this.#countEarlier(manager);
    await this.#lookAtStream(manager);
  }

  async #lookAtStream(manager: JetStreamManager): Promise<void> {
    const accepted = this.#acceptedOrders();
    const settlements = this.#settlements;
    // Taken before the question: rather too few messages for a moment than one that is settled.
    const settledFrames = this.#settledFrames;
    const { state } = await manager.streams.info(this.#names.stream);
    // Another stream of that name: it was deleted, and made anew.
    if (state.last_seq < this.#earlierSeqMax) await this.#countEarlier(manager);
    this.#messages = state.messages === 0 ? 0 : await this.#deliverable(manager);
    this.#settledBeforeLook = settledFrames;
    if (state.first_seq > this.#earlierSeqMax) this.#earlierFrames = 0;
    if (state.messages > 0) {
      await this.#lookAtOldest(manager, state.first_seq);
      return;
    }
    this.#oldestAcceptedAtMs = 0;
    const isQuiet =
      this.#settling === 0 &&
      settlements === this.#settlements &&
      accepted === this.#acceptedOrders();
    if (isQuiet) {
      this.#earlierFrames = 0;
      this.#balance = this.#acceptedBefore - accepted;
    }
  }

  /**
   * Messages that the consumers have to deliver yet, or that are in hand. After a power cut the stream may keep one that its
   * consumer knows as acknowledged: that is no order that waits.
   */
  async #deliverable(manager: JetStreamManager): Promise<number> {
    const { stream, freshConsumer, retryConsumer } = this.#names;
    const infos = await Promise.all(
      [freshConsumer, retryConsumer].map((name) => manager.consumers.info(stream, name)),
    );
    return infos.reduce(
      (sum, { num_pending, num_ack_pending }) => sum + num_pending + num_ack_pending,
      0,
    );
  }

  async #lookAtOldest(manager: JetStreamManager, seq: number): Promise<void> {
    const found = await manager.streams.getMessage(this.#names.stream, { seq });
    const acceptedAtMs = Number(found?.header.get('Forebay-Accepted-Ms'));
    if (acceptedAtMs > 0) this.#oldestAcceptedAtMs = acceptedAtMs;
  }
}

/**
 * How many dead letters a stream keeps. Asked for each second, because other processes file and take away
 * too; those that this process has filed since count at once. Rather too many for a moment than too few: the count is
 * held against a bound.
 */
export class DeadLetterCount {
  readonly #stream: string;
  readonly #steady: StreamPoll;
  #found = 0;
  #filed = 0;
  /** Of those, how many the last count must have seen. */
  #filedBefore = 0;

  constructor(stream: string, repair: StreamRepair) {
    this.#stream = stream;
    this.#steady = new StreamPoll(DEAD_LETTERS_PART, repair, (manager) => this.#look(manager));
  }

  kept(): number {
    return this.#found + this.#filed - this.#filedBefore;
  }

  filed(letters: number): void {
    this.#filed += letters;
  }

  /** To be called whenever the connection has come up. */
  start(nc: NatsConnection): Promise<void> {
    return this.#steady.start(nc);
  }

  stop(): void {
    this.#steady.stop();
  }

  async #look(manager: JetStreamManager): Promise<void> {
    // Taken before the question, so that what is filed until the answer is not left out.
    const filedBefore = this.#filed;
    const { state } = await manager.streams.info(this.#stream);
    this.#found = state.messages;
    this.#filedBefore = filedBefore;
  }
}

const LOOK_MS = 1000;

/** Asks NATS how things stand when the connection has come up and each second after, never twice at once. */
class StreamPoll {
  readonly #part: string;
  readonly #repair: StreamRepair;
  readonly #look: (manager: JetStreamManager) => Promise<void>;
  #manager: JetStreamManager | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isLooking = false;

  /** @param part what is looked at, by the name that repair knows it under */
  constructor(
    part: string,
    repair: StreamRepair,
    look: (manager: JetStreamManager) => Promise<void>,
  ) {
    this.#part = part;
    this.#repair = repair;
    this.#look = look;
  }

  /** To be called whenever the connection has come up. */
  async start(nc: NatsConnection): Promise<void> {
    this.#manager = await managerOf(nc);
    if (this.#timer === null) {
      this.#timer = setInterval(() => void this.#lookOnce(), LOOK_MS);
      this.#timer.unref();
    }
    await this.#lookOnce();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  async #lookOnce(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      await this.#look(this.#manager!);
      this.#repair.served(this.#part);
    } catch (error) {
      // Away: the connection says so, and the last look stands until the next.
      await this.#repair.repairIfGone(this.#part, error);
    } finally {
      this.#isLooking = false;
    }
  }
}
