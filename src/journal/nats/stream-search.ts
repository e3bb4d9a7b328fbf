import type { JetStreamManager, StoredMsg, StreamState } from '@nats-io/jetstream';
import { type JetStreamConnection, managerOf } from './connection.js';
import { storedFrame } from './headers.js';
import { storedHeaders } from './message.js';
import type { JetStreamNames } from './names.js';

/** Messages requested at once. */
const READS_MAX = 16;

/** The presumed bound on the clock difference to a server that does not report its time (nats-server before 2.10). */
const UNKNOWN_CLOCK_MS = 1000;

/** A fresh frame in the stream. */
export interface FoundFrame {
  readonly seq: number;
  readonly frameId: string;
  readonly count: number;
  readonly acceptedAtMs: number;
  readonly message: StoredMsg;
}

interface Extent {
  readonly state: StreamState;
  /** Bounds of the server's clock minus this machine's; milliseconds. */
  readonly aheadMsMin: number;
  readonly aheadMsMax: number;
}

/**
 * Finds fresh frames in the stream by the time at which the server stored them. That time rises from message to
 * message; the time of acceptance does not, because frames from the spool are older than those stored before them.
 * When the server's clock was set back, so that its times do not rise either, everything is read.
 */
export class StreamSearch {
  readonly #connection: JetStreamConnection;
  readonly #names: JetStreamNames;

  constructor(connection: JetStreamConnection, names: JetStreamNames) {
    this.#connection = connection;
    this.#names = names;
  }

  /**
   * The number of messages in the stream.
   * @throws Error NATS does not answer
   */
  async size(): Promise<number> {
    const { state } = await this.#extent(await this.#manager());
    return state.messages;
  }

  /**
   * The frames stored from `fromMs` to `toMs` (epoch milliseconds of this machine's clock), in stream order, and
   * possibly some before and after. Frames stored later are not waited for.
   * @param fromSeq skips what is before it, unless times do not rise
   * @throws Error NATS does not answer
   */
  async *stored(
    fromMs: number,
    toMs = Number.POSITIVE_INFINITY,
    fromSeq = 0,
  ): AsyncIterable<FoundFrame> {
    const manager = await this.#manager();
    const { state, aheadMsMin, aheadMsMax } = await this.#extent(manager);
    const start = await this.#seek(manager, state, fromMs + aheadMsMin);
    const endMs = start === null ? Number.POSITIVE_INFINITY : toMs + aheadMsMax;
    const firstSeq = start === null ? state.first_seq : Math.max(start, fromSeq);
    for (let seq = firstSeq; seq <= state.last_seq; ) {
      const first = await this.#next(manager, seq);
      if (first === null) return;
      seq = Math.min(first.seq + READS_MAX, state.last_seq + 1);
      for (const message of [first, ...(await this.#messages(manager, first.seq + 1, seq))]) {
        if (message === null || message.subject !== this.#names.freshSubject) continue;
        if (storedMs(message) > endMs) return;
        yield { seq: message.seq, message, ...storedFrame(storedHeaders(message)) };
      }
    }
  }

  /**
   * The frame with this sequence number, if it still exists.
   * @throws Error NATS does not answer
   */
  async at(seq: number): Promise<FoundFrame | null> {
    const message = await (await this.#manager()).streams.getMessage(this.#names.stream, { seq });
    return message === null ? null : { seq, message, ...storedFrame(storedHeaders(message)) };
  }

  /**
   * A sequence number before everything stored at `timeMs` or later; null when times do not rise. Steps back from the
   * end by doubling strides, because recent frames are the usual target, then halves the interval.
   */
  async #seek(
    manager: JetStreamManager,
    { first_seq, last_seq }: StreamState,
    timeMs: number,
  ): Promise<number | null> {
    let [low, lowMs] = [first_seq, Number.NEGATIVE_INFINITY];
    let [high, highMs] = [last_seq + 1, Number.POSITIVE_INFINITY];
    if (timeMs === Number.NEGATIVE_INFINITY) return low;
    for (let stride = 1; high - low > 1; stride *= 2) {
      const isStriding = lowMs === Number.NEGATIVE_INFINITY;
      const halfWay = Math.floor((low + high) / 2);
      const probe = isStriding ? Math.max(halfWay, last_seq + 1 - stride) : halfWay;
      const found = await this.#next(manager, probe);
      const foundMs = found === null ? highMs : storedMs(found);
      if (foundMs < lowMs || foundMs > highMs) return null;
      if (foundMs < timeMs) [low, lowMs] = [Math.max(probe, found!.seq), foundMs];
      else [high, highMs] = [probe, foundMs];
    }
    return low;
  }

  /** The first message with a fresh frame at `seq` or after it. */
  #next(manager: JetStreamManager, seq: number): Promise<StoredMsg | null> {
    const { stream, freshSubject } = this.#names;
    // The server accepts both together (ADR-31); the client's type allows it for direct gets only.
    const query = { seq, next_by_subj: freshSubject } as { seq: number };
    return manager.streams.getMessage(stream, query);
  }

  /** The messages from one sequence number to before another; null for those that do not exist. */
  #messages(manager: JetStreamManager, from: number, to: number): Promise<(StoredMsg | null)[]> {
    const { stream } = this.#names;
    const places = Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
    return Promise.all(places.map((seq) => manager.streams.getMessage(stream, { seq })));
  }

  async #extent(manager: JetStreamManager): Promise<Extent> {
    const askedMs = Date.now();
    const info = await manager.streams.info(this.#names.stream);
    const answeredMs = Date.now();
    const serverMs = Date.parse((info as { ts?: string }).ts ?? '');
    return Number.isNaN(serverMs)
      ? { state: info.state, aheadMsMin: -UNKNOWN_CLOCK_MS, aheadMsMax: UNKNOWN_CLOCK_MS }
      : {
          state: info.state,
          aheadMsMin: serverMs - answeredMs - 1,
          aheadMsMax: serverMs - askedMs + 1,
        };
  }

  #manager(): Promise<JetStreamManager> {
    return managerOf(this.#connection.nc);
  }
}

function storedMs(message: StoredMsg): number {
  return Date.parse(message.timestamp);
}
