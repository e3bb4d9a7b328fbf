import type { Frame } from '../model/frame.js';
import type { FrameProgress } from '../model/left-orders.js';
import {
  type Failure,
  type OUTCOME_DEAD,
  OUTCOME_DONE,
  OUTCOME_NOT_RUN,
  type OUTCOME_RETRY,
  type OUTCOME_UNKNOWN,
  type OutcomeNote,
} from '../model/pool-messages.js';
import type { HandCall } from './hand-file.js';

const LINE_END = 10;

type FailedOutcome =
  | typeof OUTCOME_RETRY
  | typeof OUTCOME_DEAD
  | typeof OUTCOME_NOT_RUN
  | typeof OUTCOME_UNKNOWN;

export interface FailedOrder {
  readonly position: number;
  readonly outcome: FailedOutcome;
  readonly failure: Failure | OutcomeNote;
}

const NOT_RUN: Failure = { reason: 'not run', shown: 'not run', kind: 'not run' };

/** Part of a frame: `count` orders from `position` on, and the byte range that holds them. */
export interface FrameSlice {
  readonly run: FrameRun;
  readonly position: number;
  readonly count: number;
  readonly byteStart: number;
  readonly byteEnd: number;
}

export interface FrameRunChoices {
  readonly expiresMs?: number;
  readonly isLost?: () => boolean;
  /** Called with the number of orders each time some are done. */
  readonly onDone?: (orders: number) => void;
  /** See `Frame.crashes`; 0 for none. */
  readonly crashes?: number;
  /** See `Delivery.startsAlone`. */
  readonly startsAlone?: () => Promise<void>;
  /** See `Delivery.begunMax`. */
  readonly begunMax?: number | undefined;
  /** See `Delivery.note`. */
  readonly note?: ((progress: FrameProgress) => Promise<void>) | undefined;
}

/** The progress of one frame. Its orders are handed out in slices, from the front. */
export class FrameRun {
  readonly frame: Frame;
  readonly failed: FailedOrder[] = [];
  /** Calls that had orders of this frame, and wait for its settlement. */
  readonly calls: HandCall[] = [];
  /** On the clock of `performance.now()`. After this time, orders not handed out yet must not be processed. */
  readonly expiresMs: number;
  /** Whether another process owns the frame now. Then orders not handed out yet must not be processed. */
  readonly isLost: () => boolean;
  /** More than 0: its one order must run while no other is in progress. */
  readonly crashes: number;
  /** To be awaited before such an order begins. Rejects if it must not begin. */
  readonly startsAlone: () => Promise<void>;
  readonly #payload: Buffer;
  readonly #onComplete: (run: FrameRun) => void;
  readonly #onDone: (orders: number) => void;
  #cutOrders = 0;
  #cutBytes = 0;
  #finishedOrders = 0;
  readonly #note: ((progress: FrameProgress) => Promise<void>) | undefined;
  /** Orders from the front that may begin, and those that will be when a note is stored. */
  #begunMax: number;
  #announced: number;
  /** Orders from the front that have ended; and slices that ended behind one that has not, by position. */
  #ended = 0;
  readonly #endedBehind = new Map<number, number>();
  #notedEnded = 0;
  #isNoting = false;

  /**
   * `onComplete` is called once, when every order of the frame has an outcome. `onDone` is called each time some orders
   * are done, because with a low drain rate a frame of hundreds of orders takes seconds.
   */
  constructor(
    frame: Frame,
    onComplete: (run: FrameRun) => void,
    {
      expiresMs = Number.POSITIVE_INFINITY,
      isLost = () => false,
      onDone = () => {},
      crashes = 0,
      startsAlone = async () => {},
      begunMax = frame.count,
      note,
    }: FrameRunChoices = {},
  ) {
    this.frame = frame;
    this.expiresMs = expiresMs;
    this.isLost = isLost;
    this.crashes = crashes;
    this.startsAlone = startsAlone;
    this.#onDone = onDone;
    this.#note = note;
    this.#begunMax = Math.min(begunMax, frame.count);
    this.#announced = this.#begunMax;
    const { buffer, byteOffset, byteLength } = frame.payload;
    this.#payload = Buffer.from(buffer, byteOffset, byteLength);
    this.#onComplete = onComplete;
  }

  /** Orders not handed out yet. */
  get uncut(): number {
    return this.frame.count - this.#cutOrders;
  }

  /** Bytes of the orders not handed out yet. */
  get uncutBytes(): number {
    return this.#payload.length - this.#cutBytes;
  }

  /** Orders handed out so far: the front of the frame. */
  get cutOrders(): number {
    return this.#cutOrders;
  }

  /** Orders not handed out yet that may begin. */
  get startable(): number {
    return Math.max(0, this.#begunMax - this.#cutOrders);
  }

  /** Orders not handed out yet that may begin or will. */
  get announced(): number {
    return Math.max(0, this.#announced - this.#cutOrders);
  }

  /** Lets up to `orders` more orders begin once other processes can know. Rejects if the source is closed first. */
  async announce(orders: number): Promise<void> {
    const begun = Math.min(this.frame.count, this.#announced + orders);
    this.#announced = begun;
    await this.#note?.(this.#progress());
    this.#begunMax = Math.max(this.#begunMax, begun);
  }

  /** Notes which orders have ended, if that has changed: another process that gets the frame then spares them. */
  async noteEnded(): Promise<void> {
    if (this.#note === undefined || this.#isNoting || this.#ended === this.#notedEnded) return;
    if (this.#ended === this.frame.count) return;
    this.#isNoting = true;
    const ended = this.#ended;
    await this.#note(this.#progress()).finally(() => {
      this.#isNoting = false;
    });
    this.#notedEnded = ended;
  }

  #progress(): FrameProgress {
    const ended = this.#ended;
    const failed = this.failed.flatMap(({ position }) => (position < ended ? [position] : []));
    return { begun: this.#announced, ended, failed };
  }

  #end({ position, count }: FrameSlice): void {
    this.#endedBehind.set(position, count);
    for (;;) {
      const next = this.#endedBehind.get(this.#ended);
      if (next === undefined) return;
      this.#endedBehind.delete(this.#ended);
      this.#ended += next;
    }
  }

  cut(ordersMax: number): FrameSlice {
    const count = Math.min(ordersMax, this.uncut);
    const slice = {
      run: this,
      position: this.#cutOrders,
      count,
      byteStart: this.#cutBytes,
      byteEnd: this.byteOffsetBehind(this.#cutBytes, count, this.#cutOrders + count),
    };
    this.#cutOrders += count;
    this.#cutBytes = slice.byteEnd;
    return slice;
  }

  /** The offset after `orders` lines from `byteStart` on; `position` is the next order. */
  byteOffsetBehind(byteStart: number, orders: number, position: number): number {
    if (position === this.frame.count) return this.#payload.length;
    let offset = byteStart;
    for (let i = 0; i < orders; i++) offset = this.#payload.indexOf(LINE_END, offset) + 1;
    return offset;
  }

  /**
   * Records the outcomes of a slice's orders; null means that all are done. `failureOf` says why an order failed, by its
   * index in the slice.
   */
  finish(
    slice: FrameSlice,
    outcomes: Uint8Array | null,
    failureOf: (index: number) => FailedOrder['failure'],
  ): void {
    const failedBefore = this.failed.length;
    if (outcomes !== null) {
      for (let i = 0; i < slice.count; i++) {
        const outcome = outcomes[i]!;
        if (outcome === OUTCOME_DONE) continue;
        this.failed.push({
          position: slice.position + i,
          outcome: outcome as FailedOutcome,
          failure: failureOf(i),
        });
      }
    }
    const done = slice.count - (this.failed.length - failedBefore);
    if (done > 0) this.#onDone(done);
    this.#finishedOrders += slice.count;
    this.#end(slice);
    if (this.#finishedOrders === this.frame.count) this.#onComplete(this);
  }

  /** Records that the orders of a slice were not run. */
  finishUnrun(slice: FrameSlice): void {
    this.finish(slice, new Uint8Array(slice.count).fill(OUTCOME_NOT_RUN), () => NOT_RUN);
  }
}
