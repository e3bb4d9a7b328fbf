import type { Frame, StoredKey } from '../../model/frame.js';
import type { Log } from '../../model/log.js';
import { sealBytes, unsealBytes } from '../frame/checksum.js';
import type { JetStreamConnection } from '../nats/connection.js';
import { readFrame } from '../nats/headers.js';
import { storedHeaders } from '../nats/message.js';
import type { FoundFrame, StreamSearch } from '../nats/stream-search.js';
import { storedKeys, storeKeys } from '../store/idempotency-rows.js';
import type { LocalStore } from '../store/local-store.js';
import { unreadableKeys } from '../store/unreadable-rows.js';

export interface KeyCounts {
  /** Never decreases: while it does not change, there is nothing to store. */
  readonly acceptedOrders: () => number;
  /** Frames whose row could not be written; never decreases. */
  readonly failedKeyRows: () => number;
}

/** Between two updates of the time up to which keys are stored. */
const SAVE_MS = 1000;
/** Kept behind the clock, because rows of keys are written after the frames were acknowledged. */
const LAG_MS = 5000;
/** How long a start waits for NATS to return the last keys. */
const CONNECT_MS_MAX = 2000;
/** A frame is stored after its orders were accepted; other machines' clocks may be this far ahead. */
const CLOCK_SKEW_MS = 2000;

const UNKNOWN =
  'idempotency keys of the last seconds before the last stop may be unknown, because NATS does not answer';

const META_KEY = Buffer.from('keys-known');
/** Digits of a time, from 2001 to 2286. */
const TIME_CHARS = 13;

/** 0 when the row is missing or not as it was written: the stream is then read from its beginning. */
function knownUntilMs(row: Buffer | undefined): number {
  if (row === undefined) return 0;
  try {
    return Number(unsealBytes(row, META_KEY, TIME_CHARS).toString()) || 0;
  } catch {
    return 0;
  }
}

/**
 * The idempotency keys of orders whose frames are in JetStream. Keys travel with their frame and so are as durable as
 * the order. Rows in the store, written a moment later, save a start from reading the whole stream: only what was
 * accepted after the stored time is read from the stream. Rows that could not be written, for example because the
 * disk was full, are restored from the stream before that time advances.
 */
export class KeyRecovery {
  readonly #store: LocalStore;
  readonly #connection: JetStreamConnection;
  readonly #search: StreamSearch;
  readonly #counts: KeyCounts;
  readonly #log: Log;
  readonly #storedBeforeStartMs: number;
  readonly #timer: NodeJS.Timeout;
  /** The time up to which each frame has its row; epoch milliseconds. */
  #storedUntilMs: number;
  #savedOrders = 0;
  /** How many of the failed rows were restored. */
  #restoredRows = 0;
  #isSaving = false;

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
    this.#storedBeforeStartMs = knownUntilMs(store.meta.getBinary(META_KEY));
    this.#storedUntilMs = this.#storedBeforeStartMs;
    this.#timer = setInterval(() => void this.#saveInTurn(), SAVE_MS);
    this.#timer.unref();
  }

  /** To be read before the server accepts orders. */
  async *keys(sinceMs: number): AsyncIterable<StoredKey> {
    this.#store.refresh();
    yield* storedKeys(this.#store, sinceMs, unreadableKeys(this.#store, this.#log));
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
    // A time in the future was stored before the clock was set back, and means nothing now.
    const isUsable = this.#storedBeforeStartMs <= Date.now();
    const fromMs = isUsable ? Math.max(sinceMs, this.#storedBeforeStartMs) : sinceMs;
    for await (const found of this.#search.stored(fromMs - CLOCK_SKEW_MS)) {
      const frame = readableFrame(found);
      if (frame === null) continue;
      const { id: frameId, acceptedAtMs } = frame;
      for (const keyed of frame.keys) yield { ...keyed, frameId, acceptedAtMs };
    }
  }

  async #saveInTurn(): Promise<void> {
    if (this.#isSaving) return;
    this.#isSaving = true;
    try {
      await this.#save();
    } catch {
      // The disk is full or NATS is away: the time does not advance until that is over.
    } finally {
      this.#isSaving = false;
    }
  }

  async #save(): Promise<void> {
    const accepted = this.#counts.acceptedOrders();
    const failed = this.#counts.failedKeyRows();
    if (accepted === this.#savedOrders && failed === this.#restoredRows) return;
    // Read before restoring: a row that fails from here on belongs to a frame accepted later than `LAG_MS` ago.
    const untilMs = Date.now() - LAG_MS;
    if (failed !== this.#restoredRows) await this.#restore();
    const known = sealBytes(Buffer.from(String(untilMs)), META_KEY);
    await this.#store.write(() => void this.#store.meta.put(META_KEY, known));
    this.#storedUntilMs = untilMs;
    this.#restoredRows = failed;
    this.#savedOrders = accepted;
  }

  /**
   * Writes the rows of all frames in the stream that may lack theirs.
   * @throws Error it cannot
   */
  async #restore(): Promise<void> {
    // As above, a time in the future means nothing.
    const isUsable = this.#storedUntilMs <= Date.now();
    for await (const found of this.#search.stored(
      isUsable ? this.#storedUntilMs - CLOCK_SKEW_MS : 0,
    )) {
      const frame = readableFrame(found);
      if (frame !== null) await storeKeys(this.#store, frame);
    }
  }
}

/** Null when it is not a frame, or damaged: the drain reports that, and its keys mean nothing. */
function readableFrame({ seq, message }: FoundFrame): Frame | null {
  const { subject, data: payload } = message;
  const headers = storedHeaders(message);
  try {
    return readFrame({ subject, headers, payload, seq });
  } catch {
    return null;
  }
}
