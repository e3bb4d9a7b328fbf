import type { JetStreamManager } from '@nats-io/jetstream';
import type { JetStreamConnection } from '../nats/connection.js';
import { managerOf } from '../nats/connection.js';
import { storedFrame } from '../nats/headers.js';
import { storedHeaders } from '../nats/message.js';
import type { JetStreamNames } from '../nats/names.js';

/** How old the state of the stream may be. While receipts are asked for, it is asked for once in that time. */
const STATE_MS = 200;
/** How many orders a frame has is found by a sample of the waiting frames: a few more each second. */
const SAMPLE_MS = 1000;
const FIRST_SAMPLES = 128;
const MORE_SAMPLES = 16;
const SAMPLES_MAX = 1024;
/** A message is read as a whole. */
const SAMPLE_BYTES_MAX = 4 * 1024 * 1024;
/** With fewer samples before a frame, those behind it count too. */
const SAMPLES_MIN = 16;

interface Sample {
  readonly seq: number;
  readonly orders: number;
}

/** The stream and its consumers at one moment. */
interface StreamState {
  readonly lastSeq: number;
  /** Of the consumer of fresh frames: what is acknowledged without a gap, and what is delivered. */
  readonly ackedSeq: number;
  readonly deliveredSeq: number;
  /** Fresh frames that are not delivered, and that are delivered and not acknowledged. */
  readonly undelivered: number;
  readonly inHand: number;
  /** Messages of orders that run again. */
  readonly retries: number;
  readonly meanBytes: number;
}

/**
 * How many orders of all instances are before a frame of the stream. The consumers know how many frames that is. The orders of a
 * frame are the mean of a sample of those before it, so the cost does not depend on the number of receipts or frames.
 */
export class PlaceInLine {
  readonly #connection: Pick<JetStreamConnection, 'nc' | 'up' | 'reason'>;
  readonly #names: JetStreamNames;
  #state: Promise<StreamState> | null = null;
  #stateAtMs = Number.NEGATIVE_INFINITY;
  #sampling: Promise<void> = Promise.resolve();
  #sampledAtMs = Number.NEGATIVE_INFINITY;
  /** Of fresh frames, and of retries. */
  #samples: Sample[] = [];
  #retrySamples: Sample[] = [];

  constructor(
    connection: Pick<JetStreamConnection, 'nc' | 'up' | 'reason'>,
    names: JetStreamNames,
  ) {
    this.#connection = connection;
    this.#names = names;
  }

  /**
   * Orders before the fresh frame at `seq`, which waits; null if they cannot be known.
   * @throws Error NATS does not answer
   */
  async ordersBefore(seq: number): Promise<number | null> {
    if (!this.#connection.up) throw new Error(this.#connection.reason);
    const state = await this.#recentState();
    await this.#sampled(state);
    const frames = framesBefore(state, seq);
    const before = this.#samples.filter((sample) => sample.seq < seq);
    const frameOrders = mean(before.length >= SAMPLES_MIN ? before : this.#samples);
    if (frameOrders === null && frames > 0) return null;
    const retries = state.retries * (mean(this.#retrySamples) ?? 1);
    return frames * (frameOrders ?? 0) + retries;
  }

  #recentState(): Promise<StreamState> {
    const nowMs = performance.now();
    if (this.#state === null || nowMs - this.#stateAtMs > STATE_MS) {
      this.#stateAtMs = nowMs;
      this.#state = this.#askState();
      this.#state.catch(() => {
        this.#state = null;
      });
    }
    return this.#state;
  }

  async #askState(): Promise<StreamState> {
    const manager = await managerOf(this.#connection.nc);
    const { stream, freshConsumer, retryConsumer } = this.#names;
    const [{ state }, fresh, retry] = await Promise.all([
      manager.streams.info(stream),
      manager.consumers.info(stream, freshConsumer),
      manager.consumers.info(stream, retryConsumer),
    ]);
    return {
      lastSeq: state.last_seq,
      ackedSeq: Math.max(fresh.ack_floor.stream_seq, state.first_seq - 1),
      deliveredSeq: fresh.delivered.stream_seq,
      undelivered: fresh.num_pending,
      inHand: fresh.num_ack_pending,
      retries: retry.num_pending + retry.num_ack_pending,
      meanBytes: state.messages === 0 ? 0 : state.bytes / state.messages,
    };
  }

  /** Concurrent calls share the work. */
  #sampled(state: StreamState): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - this.#sampledAtMs > SAMPLE_MS) {
      this.#sampledAtMs = nowMs;
      this.#sampling = this.#sample(state);
    }
    return this.#sampling;
  }

  async #sample(state: StreamState): Promise<void> {
    const manager = await managerOf(this.#connection.nc);
    const { freshSubject, retrySubject } = this.#names;
    const isWaiting = ({ seq }: Sample) => seq > state.ackedSeq && seq <= state.lastSeq;
    this.#samples = this.#samples.filter(isWaiting);
    const isFirst = this.#samples.length < FIRST_SAMPLES / 2;
    const most = Math.floor(SAMPLE_BYTES_MAX / Math.max(1, state.meanBytes));
    const count = Math.max(4, Math.min(isFirst ? FIRST_SAMPLES : MORE_SAMPLES, most));
    const fresh = await this.#read(manager, freshSubject, state, count);
    this.#samples.push(...fresh.filter(isWaiting));
    this.#samples.splice(0, this.#samples.length - SAMPLES_MAX);
    this.#retrySamples =
      state.retries === 0 ? [] : await this.#read(manager, retrySubject, state, MORE_SAMPLES);
  }

  /** One message of each of `count` equal parts of what waits. */
  async #read(
    manager: JetStreamManager,
    subject: string,
    { ackedSeq, lastSeq }: StreamState,
    count: number,
  ): Promise<Sample[]> {
    const width = (lastSeq - ackedSeq) / count;
    const places =
      width < 1
        ? Array.from({ length: lastSeq - ackedSeq }, (_, i) => ackedSeq + 1 + i)
        : Array.from({ length: count }, (_, i) => {
            return ackedSeq + 1 + Math.floor((i + Math.random()) * width);
          });
    const found = await Promise.all(
      places.map((seq) => {
        // The server accepts both together (ADR-31); the client's type allows it for direct gets only.
        const query = { seq, next_by_subj: subject } as { seq: number };
        return manager.streams.getMessage(this.#names.stream, query);
      }),
    );
    return found.flatMap((message) => {
      if (message === null) return [];
      return [{ seq: message.seq, orders: storedFrame(storedHeaders(message)).count }];
    });
  }
}

/** Sequence numbers of retries and of frames that are done are spread evenly among the others. */
function framesBefore(state: StreamState, seq: number): number {
  const { lastSeq, ackedSeq, deliveredSeq, undelivered, inHand } = state;
  if (seq > deliveredSeq) {
    const density = undelivered / Math.max(1, lastSeq - deliveredSeq);
    return inHand + (seq - 1 - deliveredSeq) * Math.min(1, density);
  }
  const share = (seq - 1 - ackedSeq) / Math.max(1, deliveredSeq - ackedSeq);
  return Math.max(0, share * inHand);
}

function mean(samples: readonly Sample[]): number | null {
  if (samples.length === 0) return null;
  return samples.reduce((sum, { orders }) => sum + orders, 0) / samples.length;
}
