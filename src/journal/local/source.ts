import { EXIT, OperatorFault } from '../../model/fault.js';
import { type Frame, frameTimeMs, type StoredKey } from '../../model/frame.js';
import type { Delivery, Settlement, Source } from '../../model/journal.js';
import { LeftNotes } from '../../model/left-orders.js';
import type { Receipt } from '../../model/receipt.js';
import { untilDueMs } from '../frame/refile.js';
import type { SourceParts } from '../source-handle.js';
import {
  decodeFresh,
  decodeLater,
  dueRanges,
  type KeyFacts,
  laterFacts,
  leadingTimeMs,
  timeKey,
} from '../store/frame-rows.js';
import { GroupedWrites } from '../store/grouped-writes.js';
import { putLeft } from '../store/left-rows.js';
import type { LocalStore } from '../store/local-store.js';
import { findReceipt } from '../store/receipt-rows.js';
import {
  moveUnreadable,
  printable,
  restoreReadable,
  unreadableKeys,
} from '../store/unreadable-rows.js';
import { LocalBacklog } from './backlog.js';
import { LogLoop } from './log-loop.js';
import { LoggedFrames } from './logged-frames.js';
import { forwardedWrites, RetriedWrites, settlementBytes, settlementWrites } from './settlement.js';
import { type FrameRow, WaitingFrames } from './waiting-frames.js';

export interface LocalSourceParts
  extends Pick<SourceParts, 'newFrameId' | 'acceptedOrders' | 'log'> {
  /** The longest that a retry is delayed; milliseconds. */
  readonly retryMsMax: number;
  /**
   * The most frames that are claimed at a time; 1 by default. While settlements are gathered, their frames are not
   * replaced by others.
   */
  readonly lookAheadFrames?: number;
  /** Orders that this process has finished, also of frames that are not settled; by default, none of these. */
  readonly finishedOrders?: () => number;
  /** What processes that died have left; nothing by default. */
  readonly leftNotes?: LeftNotes;
  /** Makes the appenders call `wake` at their next commit; when absent, frames are looked for periodically. */
  readonly requestWake?: (() => void) | null;
  /** Moves what a log has into the tables at once, because no appender writes to a log. */
  readonly hasNoLog?: boolean;
}

/** How long a commit can stay unnoticed when `wake` is not called. */
const POLL_MS = 250;

/** The share of the claimed frames whose settlements are gathered into one write at most. */
const GROUP_SHARE = 1 / 4;

/** A claimed frame that another journal can take over. */
export interface LocalDelivery extends Delivery {
  /** Another journal has the frame: removes it here, its orders still to be done. Retries until that is durable. */
  forwarded(): Promise<void>;
  /** Leaves the frame where it is, and out of what is pulled until `unpark`. */
  park(): void;
}

/**
 * Reads the local journal. Several threads append to it and commit out of the order of ids, so a cursor that only moves
 * forward would miss frames: each pull reads from the start and skips the claimed frames, which are few.
 */
export class LocalSource implements Source {
  readonly name = 'local';
  /** No other process drains a local journal. */
  readonly term = 1;
  readonly #store: LocalStore;
  readonly #settlements: RetriedWrites;
  readonly #logged: LoggedFrames;
  readonly #waiting: WaitingFrames;
  readonly #loop: LogLoop;
  readonly #parts: LocalSourceParts;
  readonly #backlog: LocalBacklog;
  readonly #left: LeftNotes;
  readonly #wakeSignal = new WakeSignal();
  readonly #claimed = new Map<string, FrameRow>();
  /** Table and key of rows that cannot be read. Such a row is not reported again, even if it cannot be moved. */
  readonly #unreadable = new Set<string>();
  /** Ids of claimed frames that were parked. */
  readonly #parked = new Set<string>();
  readonly #settling = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();

  constructor(store: LocalStore, parts: LocalSourceParts) {
    this.#store = store;
    this.#parts = parts;
    this.#left = parts.leftNotes ?? new LeftNotes();
    const writes = new GroupedWrites(store, Math.ceil((parts.lookAheadFrames ?? 1) * GROUP_SHARE));
    const place = `data folder ${store.folder}`;
    this.#settlements = new RetriedWrites(writes, place, this.#closing.signal, parts.log);
    this.#logged = new LoggedFrames(store, (write, bytes) => writes.write(write, bytes), parts.log);
    readAtStart(this.#logged, store.folder, parts.hasNoLog ?? false);
    restoreReadable(store);
    this.#waiting = new WaitingFrames(store, this.#logged);
    this.#backlog = new LocalBacklog(store, this.#waiting, parts.acceptedOrders);
    this.#logged.onLost = (orders) => this.#backlog.settled(orders);
    this.#loop = new LogLoop(this.#logged, parts.requestWake ?? null, () => {
      this.#backlog.note();
      this.#wakeSignal.wake();
    });
  }

  get reachable(): boolean {
    return this.reason === '';
  }

  get reason(): string {
    if (this.#closing.signal.aborted) return 'the local journal is closed';
    return this.#settlements.fault || this.#loop.fault || this.#logged.fault;
  }

  /** Resolves when `pendingOrders` includes everything found in the journal. */
  get counted(): Promise<void> {
    return this.#backlog.counted;
  }

  /** Parked frames are due again. */
  unpark(): void {
    for (const id of this.#parked) this.#unclaim(id);
    this.#parked.clear();
    this.#wakeSignal.wake();
  }

  /** An appender has committed. Cheap; several calls before the next check count as one. */
  wake(): void {
    this.#loop.wake();
  }

  /** From this frame id on, `expiry.ts` keeps what says that a frame was settled; null when it need not. */
  readonly keptFrom = (): string | null => this.#logged.keptFrom();

  async pull(framesMax: number, signal: AbortSignal): Promise<LocalDelivery[]> {
    while (!signal.aborted && !this.#closing.signal.aborted) {
      const found = this.#claimDue(framesMax);
      if (found.length > 0) return found;
      await this.#wakeSignal.wait(Math.min(POLL_MS, this.#untilNextDueMs()), signal);
    }
    return [];
  }

  pendingOrders(): number {
    return this.#backlog.orders();
  }

  oldestAcceptedAtMs(): number {
    return this.#closing.signal.aborted ? 0 : this.#waiting.oldestAcceptedAtMs();
  }

  deadLetters(): number {
    if (this.#closing.signal.aborted) return 0;
    this.#store.refresh();
    return (this.#store.dead.getStats() as { entryCount: number }).entryCount;
  }

  async receipt(frameId: string, index: number): Promise<Receipt> {
    const receipt = this.#receipt(frameId, index);
    if (receipt !== 'unknown') return receipt;
    // It may have been accepted a moment ago.
    this.#loop.read();
    return this.#receipt(frameId, index);
  }

  #receipt(frameId: string, index: number): Receipt {
    this.#store.refresh();
    return findReceipt(this.#store, frameId, index, this.#waiting.find(frameId));
  }

  async ordersAhead(frameId: string, index: number): Promise<number | null> {
    this.#store.refresh();
    if (this.#waiting.find(frameId) === null) return null;
    const before = this.#backlog.ordersBefore(frameTimeMs(frameId));
    if (before === null) return null;
    const finished = this.#parts.finishedOrders?.() ?? 0;
    const unsettled = Math.max(0, finished - this.#backlog.settledOrders);
    return Math.max(0, before + index - unsettled);
  }

  /** The idempotency keys of orders accepted since `sinceMs`, epoch milliseconds. */
  keys(sinceMs: number): Iterable<StoredKey> {
    return this.#waiting.keys(sinceMs, unreadableKeys(this.#store, this.#parts.log));
  }

  /** Ends pulls and retries: what the disk does not take at once stays as it is. */
  giveUp(): void {
    this.#closing.abort();
    this.#wakeSignal.wake();
  }

  async close(): Promise<void> {
    this.giveUp();
    await this.#backlog.stop();
    await Promise.allSettled(this.#settling);
    await this.#loop.close();
    await this.#store.close();
  }

  #claimDue(framesMax: number): LocalDelivery[] {
    this.#store.refresh();
    const found: LocalDelivery[] = [];
    const nowMs = Date.now();
    for (const range of dueRanges(nowMs, this.#parts.retryMsMax)) {
      for (const key of this.#store.later.getKeys(range)) {
        if (found.length >= framesMax) break;
        this.#take({ table: 'later', key: Buffer.from(key) }, laterFacts(key), found);
      }
    }
    if (found.length >= framesMax) return found;
    for (const { row, facts } of this.#waiting.fresh()) {
      this.#take(row, facts, found);
      if (found.length >= framesMax) break;
    }
    return found;
  }

  #take(row: FrameRow, { id, count }: KeyFacts, deliveries: LocalDelivery[]): void {
    if (this.#claimed.has(id)) return;
    const { table, key } = row;
    const name = this.#unreadable.size > 0 ? `${table}/${key.toString('latin1')}` : '';
    if (this.#unreadable.has(name)) return;
    let value: Buffer | undefined;
    try {
      value = this.#waiting.valueOf(row);
      if (value === undefined && table === 'log') return;
      if (value === undefined) throw new Error('it cannot be found by its key');
      const frame = table === 'later' ? decodeLater(key, value) : decodeFresh(key, value);
      this.#waiting.claim(row);
      this.#claimed.set(id, row);
      deliveries.push(this.#delivery(frame, row));
    } catch (error) {
      const { message } = error as Error;
      this.#unreadable.add(`${table}/${key.toString('latin1')}`);
      this.#parts.log(
        'frame-unreadable',
        `local journal: frame ${printable(id)} cannot be read: ${message}`,
      );
      this.#waiting.claim(row);
      if (value !== undefined) void this.#moveOut(row, value, id, count);
    }
  }

  async #moveOut(row: FrameRow, value: Buffer, id: string, orders: number) {
    const table = row.table === 'log' ? 'frames' : row.table;
    const write = () => moveUnreadable(this.#store, { table, key: row.key, value });
    const moved = this.#settlements.settle(id, write, value.length);
    if (!(await this.#untilClosed(moved))) return;
    this.#waiting.discard(row);
    this.#backlog.settled(orders);
  }

  #delivery(frame: Frame, row: FrameRow): LocalDelivery {
    return {
      frame,
      isLost: false,
      left: this.#left.of(frame),
      // Only this process can get the frame, and it finds the order in the file `hand`.
      startsAlone: async () => {},
      settle: (settlement) => this.#untilClosed(this.#settle(frame, row, settlement)),
      forwarded: () => this.#untilClosed(this.#forwarded(frame, row)),
      park: () => void this.#parked.add(frame.id),
      release: () => {
        this.#unclaim(frame.id);
        this.#wakeSignal.wake();
      },
    };
  }

  /** To be delivered again. */
  #unclaim(id: string): void {
    const row = this.#claimed.get(id);
    if (row !== undefined) this.#waiting.release(row);
    this.#claimed.delete(id);
  }

  #untilClosed<T>(settled: Promise<T>): Promise<T> {
    this.#settling.add(settled);
    return settled.finally(() => this.#settling.delete(settled));
  }

  async #forwarded(frame: Frame, row: FrameRow): Promise<void> {
    const write = forwardedWrites(this.#store, frame, row);
    if (!(await this.#settlements.settle(frame.id, write))) return;
    this.#backlog.settled(frame.count);
    this.#waiting.settled(row);
    this.#claimed.delete(frame.id);
  }

  async #settle(frame: Frame, row: FrameRow, settlement: Settlement): Promise<void> {
    const { newFrameId } = this.#parts;
    const writes = settlementWrites(this.#store, frame, row, settlement, newFrameId);
    const write = this.#left.remove(frame.id)
      ? () => {
          writes();
          putLeft(this.#store, this.#left);
        }
      : writes;
    const bytes = settlementBytes(frame, settlement);
    if (!(await this.#settlements.settle(frame.id, write, bytes))) return;
    const refiled = settlement.refile.reduce((sum, { positions }) => sum + positions.length, 0);
    this.#backlog.settled(frame.count - refiled);
    this.#waiting.settled(row);
    this.#claimed.delete(frame.id);
    if (refiled > 0) this.#wakeSignal.wake();
  }

  #untilNextDueMs(): number {
    const nowMs = Date.now();
    const [next] = this.#store.later.getKeys({ start: timeKey(nowMs + 1), limit: 1 });
    if (next === undefined) return POLL_MS;
    // 0 means that it is claimed already and was due before the clock was set back.
    return untilDueMs(leadingTimeMs(next), nowMs, this.#parts.retryMsMax) || POLL_MS;
  }
}

/** @throws OperatorFault a log cannot be read, or the tables take no writes */
function readAtStart(logged: LoggedFrames, folder: string, hasNoLog: boolean): void {
  try {
    if (hasNoLog) logged.moveAllAtStart();
    else logged.readAtStart();
  } catch (error) {
    logged.close();
    const text = `data folder ${folder}: its logs cannot be read: ${(error as Error).message}`;
    throw new OperatorFault(text, EXIT.failed);
  }
}

/** Wakes a waiting caller. A signal that no caller waits for is kept for the next one. */
class WakeSignal {
  #isSet = false;
  #resume: (() => void) | null = null;

  wake(): void {
    this.#isSet = true;
    this.#resume?.();
  }

  /** Resolves at the next signal, after `ms`, or when `signal` is aborted, whichever is first. */
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
