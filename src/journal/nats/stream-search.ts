import type { JetStreamManager, StoredMsg, StreamState } from '@nats-io/jetstream';
import { type JetStreamConnection, managerOf } from './connection.js';
import { storedFrame } from './headers.js';
import type { JetStreamNames } from './names.js';

/** Messages asked for at once. */
const READS_MAX = 16;

/** How far the server's clock is presumed to be from this machine's at most where it does not tell: before nats-server 2.10. */
const UNTOLD_CLOCK_MS = 1000;

/** A fresh frame as it lies in the stream. */
export interface FoundFrame {
  readonly seq: number;
  readonly frameId: string;
  readonly count: number;
  readonly acceptedAtMs: number;
  readonly message: StoredMsg;
}

interface Extent {
  readonly state: StreamState;
  /** The server's clock less this machine's lies between; milliseconds. */
  readonly aheadMsMin: number;
  readonly aheadMsMax: number;
}

/**
 * Finds fresh frames in the stream by when the server stored them. That rises from message to message, which the time of
 * acceptance does not: what comes by way of the spool is older than what is stored before it. Where the server's
 * clock was set back, so that its times do not rise either, everything is read.
 */
export class StreamSearch {
  readonly #connection: JetStreamConnection;
  readonly #names: JetStreamNames;

  constructor(connection: JetStreamConnection, names: JetStreamNames) {
    this.#connection = connection;
    this.#names = names;
  }

  /** Messages in the stream. @throws Error when NATS does not answer */
  async size(): Promise<number> {
    const { state } = await this.#extent(await this.#manager());
    return state.messages;
  }

  /**
   * The frames stored from `fromMs` to `toMs`, epoch milliseconds by this machine's clock, in the order of the stream, and
   * perhaps some on either side. What is stored meanwhile is not waited for.
   *
   * @param fromSeq leaves out what stands before it, unless times do not rise
   * @throws Error when NATS does not answer
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
        yield { seq: message.seq, message, ...storedFrame(message.header) };
      }
    }
  }

  /** The frame of that message if it is there still. @throws Error when NATS does not answer */
  async at(seq: number): Promise<FoundFrame | null> {
    const message = await (await this.#manager()).streams.getMessage(this.#names.stream, { seq });
    return message === null ? null : { seq, message, ...storedFrame(message.header) };
  }

  /**
   * A place before all that was stored then or later, null when times do not rise. From the end backwards
   * by strides that double, for mostly what is new is looked for; then by halving.
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
      const place = isStriding ? Math.max(halfWay, last_seq + 1 - stride) : halfWay;
      const found = await this.#next(manager, place);
      const foundMs = found === null ? highMs : storedMs(found);
      if (foundMs < lowMs || foundMs > highMs) return null;
      if (foundMs < timeMs) [low, lowMs] = [Math.max(place, found!.seq), foundMs];
      else [high, highMs] = [place, foundMs];
    }
    return low;
  }

  /** The first message with a fresh frame at that place or behind it. */
  #next(manager: JetStreamManager, seq: number): Promise<StoredMsg | null> {
    const { stream, freshSubject } = this.#names;
    // The server takes both together (ADR-31); the client's type knows of that for direct gets only.
    const query = { seq, next_by_subj: freshSubject } as { seq: number };
    return manager.streams.getMessage(stream, query);
  }

  /** The messages from one place to before another; null where there is none. */
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
      ? { state: info.state, aheadMsMin: -UNTOLD_CLOCK_MS, aheadMsMax: UNTOLD_CLOCK_MS }
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
