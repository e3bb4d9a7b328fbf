import type { Frame, StoredKey } from '../../model/frame.js';
import type { Delivery, Settlement, Source } from '../../model/journal.js';
import type { Log } from '../../model/log.js';
import type { Receipt } from '../../model/receipt.js';
import { decodeRecord } from '../frame/record.js';
import { untilDueMs } from '../frame/refile.js';
import { dueRanges, freshFacts, laterFacts, leadingTimeMs, timeKey } from '../store/frame-rows.js';
import { GroupedWrites } from '../store/grouped-writes.js';
import { rememberedKeys } from '../store/idempotency-rows.js';
import type { LocalStore, Table } from '../store/local-store.js';
import { findReceipt } from '../store/receipt-rows.js';
import { LocalBacklog } from './backlog.js';
import { CheckpointLoop } from './checkpoint-loop.js';
import {
  type FrameRow,
  forwardedWrites,
  RetriedWrites,
  settlementBytes,
  settlementWrites,
} from './settlement.js';

export interface LocalSourceParts {
  /** Ids for frames that are filed again; sort by time like those of fresh frames. */
  readonly newFrameId: () => string;
  /** Orders committed by all appenders of this process, ever rising. */
  readonly acceptedOrders: () => number;
  /** The longest that a retry is put off; milliseconds. */
  readonly retryMsMax: number;
  /** Frames in hand at most: settlements that gather keep them from being replaced by others. By default 1. */
  readonly lookAheadFrames?: number;
  /** Has the appenders call `ring` at their next commit; where there is none, frames are looked for now and then. */
  readonly listen?: (() => void) | null;
  /** One line for the operator. */
  readonly log: Log;
}

/** The safety net under `ring()`: how long a commit can go unseen if nobody rings. */
const POLL_MS = 250;

/** The share of the frames in hand whose settlements are written together at most while they wait for more. */
const GROUP_SHARE = 1 / 4;

/** A frame in hand that another journal can take over. */
export interface LocalDelivery extends Delivery {
  /** Another journal has it: it leaves this one, its orders still to be done. Tries until that is durable. */
  forwarded(): Promise<void>;
  /** Leaves it where it is, and out of what is pulled until `unpark`. */
  park(): void;
}

/**
 * Reads the local journal. Several threads append to it and commit out of key order, so there is no
 * cursor that only moves forward: each pull looks from the start of the table and skips what is in
 * hand, which is little.
 */
export class LocalSource implements Source {
  readonly name = 'local';
  /** Nobody else drains a local journal. */
  readonly term = 1;
  readonly #store: LocalStore;
  readonly #settlements: RetriedWrites;
  readonly #checkpoints: CheckpointLoop;
  readonly #parts: LocalSourceParts;
  readonly #backlog: LocalBacklog;
  readonly #wakeSignal = new WakeSignal();
  readonly #claimed = new Map<string, FrameRow>();
  /** Ids of frames in hand that nobody holds. */
  readonly #parked = new Set<string>();
  readonly #settling = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  constructor(store: LocalStore, parts: LocalSourceParts) {
    this.#store = store;
    this.#parts = parts;
    const writes = new GroupedWrites(store, Math.ceil((parts.lookAheadFrames ?? 1) * GROUP_SHARE));
    const place = `data folder ${store.folder}`;
    this.#settlements = new RetriedWrites(writes, place, this.#closing.signal, parts.log);
    // First, so that the backlog counts what it finds.
    this.#checkpoints = new CheckpointLoop(store, writes, parts.listen ?? null, () =>
      this.#wakeSignal.wake(),
    );
    this.#backlog = new LocalBacklog(store, parts.acceptedOrders);
  }

  get reachable(): boolean {
    return this.reason === '';
  }

  get reason(): string {
    if (this.#closing.signal.aborted) return 'the local journal is closed';
    return this.#settlements.fault || this.#checkpoints.fault;
  }

  /** Resolves when `pendingOrders` counts all that was found in the journal. */
  get counted(): Promise<void> {
    return this.#backlog.counted;
  }

  /** What was set aside is due again. */
  unpark(): void {
    for (const id of this.#parked) this.#claimed.delete(id);
    this.#parked.clear();
    this.#wakeSignal.wake();
  }

  /** An appender has committed: look again. Cheap, and many rings before a look count as one. */
  wake(): void {
    this.#checkpoints.wake();
  }

  async pull(framesMax: number, signal: AbortSignal): Promise<LocalDelivery[]> {
    while (!signal.aborted && !this.#closing.signal.aborted) {
      const found = this.#look(framesMax);
      if (found.length > 0) return found;
      await this.#wakeSignal.wait(Math.min(POLL_MS, this.#untilNextDueMs()), signal);
    }
    return [];
  }

  pendingOrders(): number {
    return this.#backlog.orders();
  }

  oldestAcceptedAtMs(): number {
    return this.#closing.signal.aborted ? 0 : this.#backlog.oldestAcceptedAtMs();
  }

  deadLetters(): number {
    if (this.#closing.signal.aborted) return 0;
    this.#store.refresh();
    return (this.#store.dead.getStats() as { entryCount: number }).entryCount;
  }

  async receipt(frameId: string, index: number): Promise<Receipt> {
    this.#store.refresh();
    const receipt = findReceipt(this.#store, frameId, index);
    if (receipt !== 'unknown') return receipt;
    // It may have been accepted a moment ago.
    await this.#checkpoints.move();
    this.#store.refresh();
    return findReceipt(this.#store, frameId, index);
  }

  /** The idempotency keys of orders accepted since then, epoch milliseconds. */
  keys(sinceMs: number): Iterable<StoredKey> {
    this.#store.refresh();
    return rememberedKeys(this.#store, sinceMs);
  }

  /** Nothing is pulled or tried again from now on: what the disk does not take at once stays as it is. */
  giveUp(): void {
    this.#closing.abort();
    this.#wakeSignal.wake();
  }

  async close(): Promise<void> {
    this.giveUp();
    await this.#backlog.stop();
    await Promise.allSettled(this.#settling);
    await this.#checkpoints.close();
    await this.#store.close();
  }

  #look(framesMax: number): LocalDelivery[] {
    this.#store.refresh();
    const found: LocalDelivery[] = [];
    const { later, frames } = this.#store;
    const nowMs = Date.now();
    for (const range of dueRanges(nowMs, this.#parts.retryMsMax)) {
      for (const key of later.getKeys(range)) {
        if (found.length >= framesMax) break;
        this.#take(later, key, laterFacts(key).id, found);
      }
    }
    for (const key of frames.getKeys()) {
      if (found.length >= framesMax) break;
      this.#take(frames, key, freshFacts(key).id, found);
    }
    return found;
  }

  #take(table: Table, key: Buffer, id: string, found: LocalDelivery[]): void {
    if (this.#claimed.has(id)) return;
    const row = { table, key: Buffer.from(key) };
    this.#claimed.set(id, row);
    try {
      found.push(this.#delivery(decodeRecord(table.getBinary(row.key)!), row));
    } catch (error) {
      // Kept in hand, so that it is reported once and is there for whoever can read it.
      const { message } = error as Error;
      this.#parts.log('frame-unreadable', `local journal: frame ${id} cannot be read: ${message}`);
    }
  }

  #delivery(frame: Frame, row: FrameRow): LocalDelivery {
    return {
      frame,
      isLost: false,
      settle: (settlement) => this.#untilClosed(this.#settle(frame, row, settlement)),
      forwarded: () => this.#untilClosed(this.#forwarded(frame, row)),
      park: () => void this.#parked.add(frame.id),
      release: () => {
        this.#claimed.delete(frame.id);
        this.#wakeSignal.wake();
      },
    };
  }

  #untilClosed(settled: Promise<void>): Promise<void> {
    this.#settling.add(settled);
    return settled.finally(() => this.#settling.delete(settled));
  }

  async #forwarded(frame: Frame, row: FrameRow): Promise<void> {
    const write = forwardedWrites(this.#store, frame, row);
    if (!(await this.#settlements.settle(frame.id, write))) return;
    this.#backlog.settled(frame.count);
    this.#claimed.delete(frame.id);
  }

  async #settle(frame: Frame, row: FrameRow, settlement: Settlement): Promise<void> {
    const { newFrameId } = this.#parts;
    const write = settlementWrites(this.#store, frame, row, settlement, newFrameId);
    const bytes = settlementBytes(frame, settlement);
    if (!(await this.#settlements.settle(frame.id, write, bytes))) return;
    const refiled = settlement.refile.reduce((sum, { positions }) => sum + positions.length, 0);
    this.#backlog.settled(frame.count - refiled);
    this.#claimed.delete(frame.id);
    if (refiled > 0) this.#wakeSignal.wake();
  }

  #untilNextDueMs(): number {
    const nowMs = Date.now();
    const [next] = this.#store.later.getKeys({ start: timeKey(nowMs + 1), limit: 1 });
    if (next === undefined) return POLL_MS;
    // 0 is what is in hand already, from before the clock was set back.
    return untilDueMs(leadingTimeMs(next), nowMs, this.#parts.retryMsMax) || POLL_MS;
  }
}
/** Wakes whoever waits; a ring with nobody waiting is kept for the next who does. */
class WakeSignal {
  #isSet = false;
  #resume: (() => void) | null = null;

  wake(): void {
    this.#isSet = true;
    this.#resume?.();
  }

  /** Resolves at the next ring, after `ms`, or when `signal` is aborted, whichever is first. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#isSet && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        const wake = () => {
          clearTimeout(timer);
          resolve();
        };
        this.#resume = wake;
        signal.addEventListener('abort', wake, { once: true });
      }).finally(() => {
        if (this.#resume !== null) signal.removeEventListener('abort', this.#resume);
        this.#resume = null;
      });
    }
    this.#isSet = false;
  }
}
