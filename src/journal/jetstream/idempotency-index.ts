import type { StoredKey } from '../../model/frame.js';
import type { Log } from '../../model/log.js';
import type { JetStreamConnection } from '../nats/connection.js';
import { readKeys } from '../nats/headers.js';
import type { StreamSearch } from '../nats/stream-search.js';
import { rememberedKeys, rememberKeys } from '../store/idempotency-rows.js';
import type { LocalStore } from '../store/local-store.js';

export interface KeyCounts {
  /** Ever rising: where it stands still, there is nothing to note. */
  readonly acceptedOrders: () => number;
  /** Frames whose row could not be written, ever rising. */
  readonly failedKeyRows: () => number;
}

/** Between two notes of how far the keys are remembered. */
const NOTE_MS = 1000;
/** Behind now, because rows of keys are written after the frames were acknowledged. */
const LAG_MS = 5000;
/** How long a start waits for NATS to tell the last keys. */
const CONNECT_MS_MAX = 2000;
/** A frame is stored after its orders were accepted; other machines' clocks may be that far ahead. */
const EARLY_MS = 2000;

const UNKNOWN =
  'idempotency keys of the last seconds before the last stop may be unknown, for NATS does not tell them';

const META_KEY = Buffer.from('keys-known');

/**
 * The idempotency keys of orders whose frames lie in JetStream. They travel with their frame and so are
 * as durable as the order; rows in the store, written a moment later, save a start from reading the whole
 * stream. What was accepted after the last note of how far the rows go is read from the stream itself. A row that could
 * not be written, say because the disk was full, is made good from the stream before anything behind it is noted.
 */
export class KeyIndex {
  readonly #store: LocalStore;
  readonly #connection: JetStreamConnection;
  readonly #search: StreamSearch;
  readonly #counts: KeyCounts;
  readonly #log: Log;
  readonly #knownBeforeMs: number;
  readonly #timer: NodeJS.Timeout;
  /** Up to when each frame has its row; epoch milliseconds. */
  #knownMs: number;
  #noted = 0;
  /** Of the rows that could not be written, those that have been made good. */
  #mended = 0;
  #isNoting = false;

  constructor(
    store: LocalStore,
    connection: JetStreamConnection,
    search: StreamSearch,
    counts: KeyCounts,
    log: Log,
  ) {
    this.#store = store;
    this.#connection = connection;
    this.#search = search;
    this.#counts = counts;
    this.#log = log;
    this.#knownBeforeMs = Number(store.meta.getBinary(META_KEY)?.toString() ?? 0);
    this.#knownMs = this.#knownBeforeMs;
    this.#timer = setInterval(() => void this.#noteInTurn(), NOTE_MS);
    this.#timer.unref();
  }

  /** To be read before orders are taken. */
  async *keys(sinceMs: number): AsyncIterable<StoredKey> {
    this.#store.refresh();
    yield* rememberedKeys(this.#store, sinceMs);
    await this.#connection.whenUp(CONNECT_MS_MAX);
    if (!this.#connection.up) {
      this.#log('keys-unknown', `${UNKNOWN}: ${this.#connection.reason}`);
      return;
    }
    try {
      yield* this.#keysInStream(sinceMs);
    } catch (error) {
      this.#log('keys-unknown', `${UNKNOWN}: ${(error as Error).message}`);
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async *#keysInStream(sinceMs: number): AsyncIterable<StoredKey> {
    // A note from the future was made before the clock was set back, and tells nothing any more.
    const isNoteGood = this.#knownBeforeMs <= Date.now();
    const fromMs = isNoteGood ? Math.max(sinceMs, this.#knownBeforeMs) : sinceMs;
    for await (const found of this.#search.stored(fromMs - EARLY_MS)) {
      const { frameId, acceptedAtMs } = found;
      for (const keyed of readKeys(found.message.header)) yield { ...keyed, frameId, acceptedAtMs };
    }
  }

  async #noteInTurn(): Promise<void> {
    if (this.#isNoting) return;
    this.#isNoting = true;
    try {
      await this.#note();
    } catch {
      // No room, or NATS is away: nothing behind what is missing is noted until that is over.
    } finally {
      this.#isNoting = false;
    }
  }

  async #note(): Promise<void> {
    const accepted = this.#counts.acceptedOrders();
    const failed = this.#counts.failedKeyRows();
    if (accepted === this.#noted && failed === this.#mended) return;
    // Taken before: a row that fails from here on belongs to a frame that was accepted later than `LAG_MS` ago.
    const knownMs = Date.now() - LAG_MS;
    if (failed !== this.#mended) await this.#mend();
    const known = Buffer.from(String(knownMs));
    await this.#store.write(() => void this.#store.meta.put(META_KEY, known));
    this.#knownMs = knownMs;
    this.#mended = failed;
    this.#noted = accepted;
  }

  /** Writes the rows of all frames that lie in the stream and may lack theirs. @throws Error when it cannot */
  async #mend(): Promise<void> {
    // As above of a note from the future.
    const isNoteGood = this.#knownMs <= Date.now();
    for await (const found of this.#search.stored(isNoteGood ? this.#knownMs - EARLY_MS : 0)) {
      const { frameId: id, acceptedAtMs, message } = found;
      await rememberKeys(this.#store, { id, acceptedAtMs, keys: readKeys(message.header) });
    }
  }
}
