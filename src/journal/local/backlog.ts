import { setImmediate as nextTurn } from 'node:timers/promises';
import { replayedOrders } from '../store/dead-letter-rows.js';
import { freshFacts, laterFacts, oldestAgeMs } from '../store/frame-rows.js';
import type { LocalStore, Table } from '../store/local-store.js';

/** Keys counted in one event-loop turn: well under a millisecond. */
const KEYS_PER_TURN = 1000;

/**
 * How many orders the local journal holds: those found when it was opened (counted from the keys alone, a slice per
 * turn), plus those that this process has accepted and any process has replayed since, minus those settled.
 */
export class LocalBacklog {
  /** Resolves when the orders found at the start are counted. */
  readonly counted: Promise<void>;
  readonly #store: LocalStore;
  readonly #acceptedOrders: () => number;
  readonly #acceptedBefore: number;
  #found = 0;
  /** Orders replayed before the count; null until they are known. */
  #replayedBefore: number | null = null;
  #replayed = 0;
  #settled = 0;
  #stopped = false;

  /** @param acceptedOrders orders committed by all appenders of this process; never decreases */
  constructor(store: LocalStore, acceptedOrders: () => number) {
    this.#store = store;
    this.#acceptedOrders = acceptedOrders;
    this.#acceptedBefore = acceptedOrders();
    this.counted = this.#count();
  }

  /** Never below 0: an order can be settled before the thread that took it has counted it. */
  orders(): number {
    const accepted = this.#acceptedOrders() - this.#acceptedBefore;
    return Math.max(0, this.#found + accepted + this.#replayedSince() - this.#settled);
  }

  /** @param orders those that left the journal, done or dead */
  settled(orders: number): void {
    this.#settled += orders;
  }

  /** Epoch milliseconds; 0 when the journal is empty. Frames sort by id, and ids by time. */
  oldestAcceptedAtMs(): number {
    this.#store.refresh();
    const [fresh] = this.#store.frames.getKeys({ limit: 1 });
    const times = [];
    if (fresh !== undefined) times.push(freshFacts(fresh).acceptedAtMs);
    const agedMs = oldestAgeMs(this.#store);
    if (agedMs !== null) times.push(agedMs);
    return times.length === 0 ? 0 : Math.min(...times);
  }

  /** Ends the counting, so that the store can be closed. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.counted;
  }

  #replayedSince(): number {
    if (this.#replayedBefore === null) return 0;
    if (!this.#stopped) {
      this.#store.refresh();
      this.#replayed = replayedOrders(this.#store);
    }
    return this.#replayed - this.#replayedBefore;
  }

  async #count(): Promise<void> {
    this.#store.refresh();
    const snapshot = this.#store.frames.useReadTransaction();
    try {
      this.#replayed = replayedOrders(this.#store, snapshot);
      this.#replayedBefore = this.#replayed;
      await this.#countTable(this.#store.frames, snapshot, (key) => freshFacts(key).count);
      await this.#countTable(this.#store.later, snapshot, (key) => laterFacts(key).count);
    } finally {
      snapshot.done();
    }
  }

  async #countTable(
    table: Table,
    snapshot: ReturnType<Table['useReadTransaction']>,
    ordersOf: (key: Buffer) => number,
  ): Promise<void> {
    let keys = 0;
    for (const key of table.getKeys({ transaction: snapshot })) {
      this.#found += ordersOf(key);
      if (++keys % KEYS_PER_TURN === 0) await nextTurn();
      if (this.#stopped) break;
    }
  }
}
