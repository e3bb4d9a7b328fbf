import { type JetStreamManager, jetstreamManager, type StoredMsg } from '@nats-io/jetstream';
import type { JetStreamConnection } from './jetstream-connection.js';
import { storedFrame } from './jetstream-headers.js';
import type { JetStreamNames } from './jetstream-names.js';

/** How far the times in a stream may be out of order: threads and processes append side by side. */
const DISORDER_MS = 2000;

/** A fresh frame as it lies in the stream. */
export interface FoundFrame {
  readonly seq: number;
  readonly frameId: string;
  readonly count: number;
  readonly acceptedAtMs: number;
  readonly message: StoredMsg;
}

/** Finds fresh frames in the stream by their time. Those that came by way of the spool are out of order. */
export class StreamSearch {
  readonly #connection: JetStreamConnection;
  readonly #names: JetStreamNames;

  constructor(connection: JetStreamConnection, names: JetStreamNames) {
    this.#connection = connection;
    this.#names = names;
  }

  /**
   * The frames accepted from about `fromMs` to about `toMs`, epoch milliseconds, as they lie, and some on
   * either side.
   *
   * @throws Error when NATS does not answer
   */
  async *between(fromMs: number, toMs: number): AsyncIterable<FoundFrame> {
    const manager = await jetstreamManager(this.#connection.nc, { checkAPI: false });
    let seq = await this.#seek(manager, fromMs - DISORDER_MS);
    for (;;) {
      const found = await this.#next(manager, seq);
      if (found === null || found.acceptedAtMs > toMs + DISORDER_MS) return;
      yield found;
      seq = found.seq + 1;
    }
  }

  /** A place before the frames accepted then or later, by halving. */
  async #seek(manager: JetStreamManager, timeMs: number): Promise<number> {
    const { state } = await manager.streams.info(this.#names.stream);
    let low = state.first_seq;
    let high = state.last_seq + 1;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      const found = await this.#next(manager, middle);
      if (found !== null && found.acceptedAtMs < timeMs) low = Math.max(middle, found.seq);
      else high = middle;
    }
    return low;
  }

  /** The first fresh frame at that place or behind it. */
  async #next(manager: JetStreamManager, seq: number): Promise<FoundFrame | null> {
    const { stream, freshSubject } = this.#names;
    // The server takes both together (ADR-31); the client's type knows of that for direct gets only.
    const query = { seq, next_by_subj: freshSubject } as { seq: number };
    const message = await manager.streams.getMessage(stream, query);
    return message === null ? null : { seq: message.seq, message, ...storedFrame(message.header) };
  }
}
