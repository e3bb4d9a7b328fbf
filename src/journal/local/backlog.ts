import { setImmediate as nextTurn } from 'node:timers/promises';
import { frameTimeMs } from '../../model/frame.js';
import { AcceptedLine } from '../store/accepted-line.js';
import { replayedOrders } from '../store/dead-letter-rows.js';
import { laterFacts } from '../store/frame-rows.js';
import type { LocalStore } from '../store/local-store.js';
import type { WaitingFrames } from './waiting-frames.js';

/** How often the accepted orders are noted at least; between two notes, the time tells how many there were. */
const NOTE_MS = 100;

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
  readonly #waiting: WaitingFrames;
  readonly #acceptedOrders: () => number;
  readonly #acceptedBefore: number;
  #found = 0;
  /** Orders replayed before the count; null until they are known. */
  #replayedBefore: number | null = null;
  #replayed = 0;
  #settled = 0;
  #stopped = false;
  /** Of the orders found, and of those accepted since. */
  readonly #foundLine = new AcceptedLine();
  readonly #acceptedLine = new AcceptedLine();
  readonly #noting: NodeJS.Timeout;
  #isCounted = false;

  /** @param acceptedOrders orders committed by all appenders of this process; never decreases */
  constructor(store: LocalStore, waiting: WaitingFrames, acceptedOrders: () => number) {
    this.#store = store;
    this.#waiting = waiting;
    this.#acceptedOrders = acceptedOrders;
    this.#acceptedBefore = acceptedOrders();
    this.note();
    this.#noting = setInterval(() => this.note(), NOTE_MS);
    this.#noting.unref();
    this.counted = this.#count();
  }

  /**
   * How many orders were accepted before a frame and have not left; all retries count as before it. Null until the orders found
   * at the start are counted.
   * @param frameMs the time in the id of the frame
   */
  ordersBefore(frameMs: number): number | null {
    if (!this.#isCounted) return null;
    this.note();
    const accepted = this.#acceptedOrders() - this.#acceptedBefore;
    const after =
      this.#found -
      this.#foundLine.ordersBefore(frameMs) +
      (accepted - this.#acceptedLine.ordersBefore(frameMs));
    return Math.max(0, Math.round(this.orders() - after));
  }

  /** To be called while orders arrive: many can arrive within a moment. */
  note(): void {
    this.#acceptedLine.add(Date.now(), this.#acceptedOrders() - this.#acceptedBefore);
  }

  /** Orders that left since the start. */
  get settledOrders(): number {
    return this.#settled;
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

  /** Ends the counting, so that the store can be closed. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#noting);
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
    const startMs = Date.now();
    this.#store.refresh();
    const snapshot = this.#store.frames.useReadTransaction();
    try {
      this.#replayed = replayedOrders(this.#store, snapshot);
      this.#replayedBefore = this.#replayed;
      await this.#countAll(this.#waiting.counts(snapshot), ({ id, count }) => {
        this.#foundLine.add(frameTimeMs(id), this.#found);
        return count;
      });
      this.#foundLine.add(startMs, this.#found);
      const retries = this.#store.later.getKeys({ transaction: snapshot });
      await this.#countAll(retries, (key) => laterFacts(key).count);
      this.#isCounted = true;
    } finally {
      snapshot.done();
    }
  }

  async #countAll<T>(all: Iterable<T>, ordersOf: (one: T) => number): Promise<void> {
    let counted = 0;
    for (const one of all) {
      this.#found += ordersOf(one);
      if (++counted % KEYS_PER_TURN === 0) await nextTurn();
      if (this.#stopped) break;
    }
  }
}
