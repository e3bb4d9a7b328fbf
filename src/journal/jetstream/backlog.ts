import type { JetStreamManager, StreamState } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { managerOf } from '../nats/connection.js';
import { storedHeaders } from '../nats/message.js';
import type { JetStreamNames } from '../nats/names.js';
import type { StreamRepair } from '../nats/stream-repair.js';
import { OrderSizes } from './order-sizes.js';

/** Parts of the journal as `StreamRepair` reports them. */
const ORDERS_PART = 'stream of orders';
const DEAD_LETTERS_PART = 'dead letters';

const POLL_MS = 1000;

/** The most that --frame-orders-max allows. */
const FRAME_ORDERS_MAX = 10_000;

/** Messages looked at in a poll to find out how large an order is. */
const SAMPLES = 4;

/** For the throughput of the last seconds. */
const POLLS_KEPT = 6;

/** How often the earlier frames are counted, until nothing happens meanwhile. */
const COUNTS_MAX = 5;

interface Poll {
  readonly tickMs: number;
  /** Messages that were stored and are gone. */
  readonly left: number;
  readonly settledFrames: number;
  readonly settledOrders: number;
}

/**
 * An estimate of how many orders the stream has. Frames that this process stored are counted in orders, exactly. For
 * earlier frames the server knows only the number of messages: each counts as the mean of the first and the last.
 * What other programs store (such as replayed dead letters) shows within a second, as at least one order per message.
 * While other Forebays are there, they settle what this one stored and the reverse: each poll then estimates all orders
 * anew, by the bytes of the stream. Whenever the stream is empty and idle, the estimate is reset to 0, so that errors do not add up.
 */
export class JetStreamBacklog {
  readonly #names: JetStreamNames;
  readonly #acceptedOrders: () => number;
  readonly #hasOthers: () => boolean;
  readonly #polling: StreamPoll;
  readonly #sizes = new OrderSizes();
  #acceptedBefore = 0;
  /** Orders refiled minus orders settled by this process, of frames since its start. */
  #balance = 0;
  /** Frames from before the start: the last sequence number, how many are left, and the presumed orders of each. */
  #earlierSeqMax = -1;
  #earlierFrames = 0;
  #earlierFrameOrders = 1;
  #oldestAcceptedAtMs = 0;
  #bytes = 0;
  #settling = 0;
  #settlements = 0;
  /** Undelivered and unacknowledged messages at the last poll, and the frames settled here before it and in total. */
  #messages = 0;
  #settledBeforePoll = 0;
  #settledFrames = 0;
  #settledOrders = 0;
  #polls: Poll[] = [];

  /** @param hasOthers whether other processes accept or process orders of the stream too */
  constructor(
    names: JetStreamNames,
    acceptedOrders: () => number,
    hasOthers: () => boolean,
    repair: StreamRepair,
  ) {
    this.#names = names;
    this.#acceptedOrders = acceptedOrders;
    this.#hasOthers = hasOthers;
    this.#polling = new StreamPoll(ORDERS_PART, repair, (manager) => this.#poll(manager));
  }

  orders(): number {
    const earlier = this.#earlierFrames * this.#earlierFrameOrders;
    const own = this.#acceptedOrders() - this.#acceptedBefore + this.#balance;
    const messages = this.#messages - (this.#settledFrames - this.#settledBeforePoll);
    return Math.max(0, messages, Math.round(earlier + own));
  }

  /** Of the stream on each of its servers, as of the last poll. */
  bytes(): number {
    return this.#bytes;
  }

  /** As of the last poll, at most about a second ago. */
  oldestAcceptedAtMs(): number {
    return this.#oldestAcceptedAtMs;
  }

  /** Orders that left the stream by settlements of this process. */
  get settledOrders(): number {
    return this.#settledOrders;
  }

  /**
   * Orders per second that all processes have finished in the last seconds: the messages that left the stream, with as
   * many orders as those that this process settled. Null if it settled none of them.
   */
  throughputOfAll(): number | null {
    const [first, last] = [this.#polls[0], this.#polls.at(-1)];
    if (first === undefined || last === first) return null;
    const own = last!.settledFrames - first.settledFrames;
    if (last!.left === first.left) return 0;
    if (own <= 0) return null;
    const orders = (last!.settledOrders - first.settledOrders) / own;
    return ((last!.left - first.left) * orders * 1000) / (last!.tickMs - first.tickMs);
  }

  #notePoll(left: number): void {
    const [settledFrames, settledOrders] = [this.#settledFrames, this.#settledOrders];
    const tickMs = performance.now();
    // The stream is another one.
    if (left < (this.#polls.at(-1)?.left ?? 0)) this.#polls = [];
    this.#polls.push({ tickMs, left, settledFrames, settledOrders });
    if (this.#polls.length > POLLS_KEPT) this.#polls.shift();
  }

  /** To be called whenever the connection is established. */
  start(nc: NatsConnection): Promise<void> {
    return this.#polling.start(nc);
  }

  stop(): void {
    this.#polling.stop();
  }

  /** To be called before a settlement's first step: the content of the stream changes from then on. */
  settleStarts(): void {
    this.#settling++;
    this.#settlements++;
  }

  /** The settlement has ended; `orders` left the frame at `seq`, and `refiled` of them were refiled. */
  settleEnds(seq: number, orders: number, refiled: number): void {
    this.#settling--;
    if (orders > 0) this.#settledFrames++;
    this.#settledOrders += orders - refiled;
    this.#balance += refiled;
    if (seq > this.#earlierSeqMax) this.#balance -= orders;
    else if (orders > 0) this.#earlierFrames = Math.max(0, this.#earlierFrames - 1);
  }

  /**
   * Again if this process has stored or settled something meanwhile, since nothing tells whether the stream had it. A busy process
   * gives up: then orders of that moment are missing, or count although they are settled, until the stream is empty.
   */
  async #countEarlier(manager: JetStreamManager): Promise<void> {
    for (let tries = 1; ; tries++) {
      const isQuiet = this.#quietSince();
      const { state } = await manager.streams.info(this.#names.stream);
      const first = await this.#count(manager, state.first_seq);
      const last = await this.#count(manager, state.last_seq);
      if (!isQuiet() && tries < COUNTS_MAX) continue;
      this.#acceptedBefore = this.#acceptedOrders();
      this.#balance = 0;
      this.#earlierFrames = state.messages;
      this.#earlierFrameOrders = (first + last) / 2;
      this.#earlierSeqMax = state.last_seq;
      return;
    }
  }

  /** @returns whether, when it is called, this process has stored and settled nothing since now */
  #quietSince(): () => boolean {
    const [accepted, settlements] = [this.#acceptedOrders(), this.#settlements];
    return () =>
      this.#settling === 0 &&
      settlements === this.#settlements &&
      accepted === this.#acceptedOrders();
  }

  /** Counts all messages anew. @param accepted and settledFrames as they were before `state` was asked for */
  async #recount(
    manager: JetStreamManager,
    { messages, bytes, first_seq, last_seq }: StreamState,
    accepted: number,
    settledFrames: number,
  ): Promise<void> {
    const seqs = Array.from(
      { length: SAMPLES },
      () => first_seq + Math.floor(Math.random() * (last_seq - first_seq + 1)),
    );
    await Promise.all(seqs.map((seq) => this.#count(manager, seq)));
    const orders = this.#sizes.ordersIn(messages, bytes) ?? messages;
    this.#earlierFrameOrders = orders / messages;
    this.#acceptedBefore = accepted;
    this.#balance = 0;
    this.#earlierFrames = Math.max(0, messages - (this.#settledFrames - settledFrames));
    this.#earlierSeqMax = last_seq;
  }

  /** Orders of one message; 1 when it is gone or not a frame. */
  async #count(manager: JetStreamManager, seq: number): Promise<number> {
    const found = seq > 0 ? await manager.streams.getMessage(this.#names.stream, { seq }) : null;
    if (found === null) return 1;
    const header = Number(storedHeaders(found).get('Forebay-Count')) || 1;
    // The header of a message that is not a frame may say anything.
    const count = Math.min(Math.max(1, header), FRAME_ORDERS_MAX);
    this.#sizes.learn(found, count);
    return count;
  }

  async #poll(manager: JetStreamManager): Promise<void> {
    if (this.#earlierSeqMax < 0) await this.#countEarlier(manager);
    await this.#pollStream(manager);
  }

  async #pollStream(manager: JetStreamManager): Promise<void> {
    const accepted = this.#acceptedOrders();
    const isQuiet = this.#quietSince();
    // Read before the request: too few messages for a moment are better than counting a settled one.
    const settledFrames = this.#settledFrames;
    const { state } = await manager.streams.info(this.#names.stream);
    this.#bytes = state.bytes;
    this.#notePoll(state.last_seq - state.messages);
    // Another stream of the same name: it was deleted and recreated.
    if (state.last_seq < this.#earlierSeqMax) await this.#countEarlier(manager);
    this.#messages = state.messages === 0 ? 0 : await this.#deliverable(manager);
    this.#settledBeforePoll = settledFrames;
    if (state.first_seq > this.#earlierSeqMax) this.#earlierFrames = 0;
    if (state.messages > 0) {
      if (this.#hasOthers()) await this.#recount(manager, state, accepted, settledFrames);
      await this.#pollOldest(manager, state.first_seq);
      return;
    }
    this.#oldestAcceptedAtMs = 0;
    if (isQuiet()) {
      this.#earlierFrames = 0;
      this.#balance = this.#acceptedBefore - accepted;
    }
  }

  /**
   * Messages that the consumers still have to deliver, or that are not acknowledged. After a power cut the stream may
   * keep a message that its consumer counts as acknowledged: that is not a waiting order.
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

  /** The first message can have left since it was known as that: then the next one is the oldest. */
  async #pollOldest(manager: JetStreamManager, seq: number): Promise<void> {
    // The server accepts both together (ADR-31); the client's type allows it for direct gets only.
    const query = { seq, next_by_subj: '>' } as { seq: number };
    const found = await manager.streams.getMessage(this.#names.stream, query);
    if (found === null) {
      this.#oldestAcceptedAtMs = 0;
      return;
    }
    const acceptedAtMs = Number(storedHeaders(found).get('Forebay-Accepted-Ms'));
    if (acceptedAtMs > 0) this.#oldestAcceptedAtMs = acceptedAtMs;
  }
}

/**
 * How many dead letters a stream has. Polled each second, because other processes add and remove letters too; those
 * that this process added since count at once. Rather too many for a moment than too few, because the count is
 * compared with a bound.
 */
export class DeadLetterCount {
  readonly #stream: string;
  readonly #polling: StreamPoll;
  #found = 0;
  #filed = 0;
  /** How many of them the last poll must have seen. */
  #filedBefore = 0;

  constructor(stream: string, repair: StreamRepair) {
    this.#stream = stream;
    this.#polling = new StreamPoll(DEAD_LETTERS_PART, repair, (manager) => this.#poll(manager));
  }

  kept(): number {
    return this.#found + this.#filed - this.#filedBefore;
  }

  filed(letters: number): void {
    this.#filed += letters;
  }

  /** To be called whenever the connection is established. */
  start(nc: NatsConnection): Promise<void> {
    return this.#polling.start(nc);
  }

  stop(): void {
    this.#polling.stop();
  }

  async #poll(manager: JetStreamManager): Promise<void> {
    // Read before the request, so that letters added until the answer are not left out.
    const filedBefore = this.#filed;
    const { state } = await manager.streams.info(this.#stream);
    this.#found = state.messages;
    this.#filedBefore = filedBefore;
  }
}

/** Runs a query when the connection is established and each second after, never twice at once. */
class StreamPoll {
  readonly #part: string;
  readonly #repair: StreamRepair;
  readonly #poll: (manager: JetStreamManager) => Promise<void>;
  #manager: JetStreamManager | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isPolling = false;

  /** @param part what is queried, as `StreamRepair` reports it */
  constructor(
    part: string,
    repair: StreamRepair,
    query: (manager: JetStreamManager) => Promise<void>,
  ) {
    this.#part = part;
    this.#repair = repair;
    this.#poll = query;
  }

  /** To be called whenever the connection is established. */
  async start(nc: NatsConnection): Promise<void> {
    this.#manager = await managerOf(nc);
    if (this.#timer === null) {
      this.#timer = setInterval(() => void this.#pollOnce(), POLL_MS);
      this.#timer.unref();
    }
    await this.#pollOnce();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  async #pollOnce(): Promise<void> {
    if (this.#isPolling) return;
    this.#isPolling = true;
    try {
      await this.#poll(this.#manager!);
      this.#repair.served(this.#part);
    } catch (error) {
      // When NATS is away, the connection reports it, and the last result stands until the next.
      await this.#repair.repairIfGone(this.#part, error);
    } finally {
      this.#isPolling = false;
    }
  }
}
