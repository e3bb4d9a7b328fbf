import { performance } from 'node:perf_hooks';
import { COUNTER, commitHistogram, GAUGE, HISTOGRAM, type ThreadCounts } from '../metrics/count.js';
import { type Appender, CommitAmbiguous, VERDICT } from '../model/journal.js';
import type { BodyValidator, Committer, KeyedWaiter, Waiter } from '../model/stages.js';
import { FrameIds } from './frame-id.js';
import { keyBytes, OpenFrame } from './open-frame.js';

export interface GroupCommitBounds {
  readonly frameOrdersMax: number;
  readonly frameBytesMax: number;
  readonly framesInFlightMax: number;
  /** Orders of this thread whose frame is not durable yet. */
  readonly waitingOrdersMax: number;
  /** Milliseconds after which a frame is given up: refused when it could not even be sent. */
  readonly commitMsMax: number;
}

/** How often frames that could not be sent are looked at; milliseconds. */
const EXPIRY_CHECK_MS = 100;
/** What a journal gets beyond `commitMsMax` to keep to it by itself; milliseconds. */
const SENT_GRACE_MS = 500;

/**
 * Group commit: one open frame a thread. It is sent when the event-loop turn ends and nothing is under way; else once it
 * is as large as all that is, of at most `framesInFlightMax` frames. So the busier the journal, the
 * bigger the batch, with no timer and no added latency when idle. A frame that is full is closed and
 * queued; the bound on waiting orders bounds that queue.
 *
 * The classic source is DeWitt et al., "Implementation techniques for main memory database
 * systems" (SIGMOD 1984), section 5.2.
 */
export class GroupCommit implements Committer {
  readonly #appender: Appender;
  readonly #bounds: GroupCommitBounds;
  readonly #counts: ThreadCounts;
  readonly #onCommitted: () => void;
  readonly #ids = new FrameIds();
  readonly #full: OpenFrame[] = [];
  readonly #spare: OpenFrame[] = [];
  readonly #sent = new Set<OpenFrame>();
  readonly #expiry: NodeJS.Timeout;
  readonly #commitSeconds: number;
  #open: OpenFrame | null = null;
  #inFlight = 0;
  #inFlightOrders = 0;
  #waiting = 0;
  #flushIsDue = false;
  #onIdle: (() => void) | null = null;

  /** `onCommitted` hears of each frame that became durable. */
  constructor(
    appender: Appender,
    bounds: GroupCommitBounds,
    counts: ThreadCounts,
    onCommitted: () => void,
  ) {
    this.#appender = appender;
    this.#bounds = bounds;
    this.#counts = counts;
    this.#onCommitted = onCommitted;
    this.#commitSeconds = commitHistogram(appender.name);
    this.#expiry = setInterval(() => this.#refuseExpired(), EXPIRY_CHECK_MS);
    this.#expiry.unref();
  }

  take(order: BodyValidator, waiter: Waiter): boolean {
    const open = this.#frameFor(order.compactLength, 0);
    if (open === null) return false;
    open.add(order, waiter);
    this.#waiting++;
    this.#flushAtTurnEnd();
    return true;
  }

  takeKeyed(order: BodyValidator, waiter: KeyedWaiter): boolean {
    const open = this.#frameFor(order.compactLength, keyBytes(waiter.key));
    if (open === null) return false;
    waiter.placed(open.id, open.waiters.length);
    open.addKeyed(order, waiter);
    this.#waiting++;
    this.#flushAtTurnEnd();
    return true;
  }

  /** Resolves when every order that was taken has been answered. */
  async drained(): Promise<void> {
    if (this.#waiting > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    clearInterval(this.#expiry);
  }

  /** The frame that an order of so many bytes, and its key's, goes into; null when it must be refused. */
  #frameFor(bytes: number, ofKey: number): OpenFrame | null {
    if (this.#waiting >= this.#bounds.waitingOrdersMax) return null;
    // Asked once a turn: the answer can cost a look at the disk.
    if (!this.#flushIsDue && !this.#appender.writable) return null;
    const open = this.#open;
    if (open === null) return this.#openNext();
    if (open.hasRoomFor(bytes, ofKey)) return open;
    this.#full.push(open);
    return this.#openNext();
  }

  #openNext(): OpenFrame {
    const { frameOrdersMax, frameBytesMax } = this.#bounds;
    const next = this.#spare.pop() ?? new OpenFrame(frameOrdersMax, frameBytesMax);
    const nowMs = Date.now();
    next.reset(this.#ids.next(nowMs), nowMs);
    this.#open = next;
    return next;
  }

  #flushAtTurnEnd(): void {
    if (this.#flushIsDue) return;
    this.#flushIsDue = true;
    setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    this.#flushIsDue = false;
    while (this.#inFlight < this.#bounds.framesInFlightMax) {
      const next = this.#full.shift() ?? this.#takeOpen();
      if (next === null) break;
      this.#send(next);
    }
    this.#counts.set(GAUGE.waitingOrders, this.#waiting);
  };

  /** Null where it is to wait: where every frame costs a flush, a few large ones take less than many small ones. */
  #takeOpen(): OpenFrame | null {
    const open = this.#open;
    if (open === null || open.waiters.length < this.#inFlightOrders) return null;
    this.#open = null;
    return open;
  }

  #send(sent: OpenFrame): void {
    this.#inFlight++;
    const orders = sent.waiters.length;
    this.#inFlightOrders += orders;
    this.#sent.add(sent);
    sent.markSent();
    const startedMs = performance.now();
    this.#appender.commit(sent.frame()).then(
      (verdicts) => {
        const { length } = sent.waiters;
        this.#inFlightOrders -= orders;
        if (!this.#sent.delete(sent)) {
          // Given up before, but kept after all: it will be processed.
          this.#counts.add(COUNTER.ordersAccepted, length);
          for (const waiter of sent.keyed) waiter.keptAfterAll();
          this.#finish(0);
          return;
        }
        this.#counts.observe(this.#commitSeconds, (performance.now() - startedMs) / 1000);
        this.#counts.observe(HISTOGRAM.frameOrders, length);
        this.#counts.add(COUNTER.framesCommitted);
        this.#accept(sent, verdicts);
        this.#onCommitted();
        // Only after success: a journal may still hold the bytes of a commit that failed.
        if (this.#spare.length < this.#bounds.framesInFlightMax) this.#spare.push(sent);
        this.#finish(length);
      },
      (error: unknown) => {
        const { length } = sent.waiters;
        this.#inFlightOrders -= orders;
        if (!this.#sent.delete(sent)) {
          if (!(error instanceof CommitAmbiguous)) {
            for (const waiter of sent.keyed) waiter.refusedAfterAll();
          }
          this.#finish(0);
          return;
        }
        this.#fail(sent, error instanceof CommitAmbiguous);
        this.#finish(length);
      },
    );
  }

  #accept(sent: OpenFrame, verdicts: Uint8Array | null): void {
    const { waiters, id } = sent;
    let accepted = 0;
    for (let i = 0; i < waiters.length; i++) {
      if (verdicts === null || verdicts[i] === VERDICT.accepted) {
        accepted++;
        waiters[i]!.accepted(id, i);
      } else if (verdicts[i] === VERDICT.unknown) {
        waiters[i]!.ambiguous();
      } else {
        waiters[i]!.refused();
      }
    }
    this.#counts.add(COUNTER.ordersAccepted, accepted);
  }

  #fail(sent: OpenFrame, ambiguous: boolean): void {
    this.#counts.add(ambiguous ? COUNTER.commitsAmbiguous : COUNTER.commitsRefused);
    for (const waiter of sent.waiters) {
      if (ambiguous) waiter.ambiguous();
      else waiter.refused();
    }
  }

  #finish(orders: number): void {
    this.#inFlight--;
    this.#release(orders);
    if (this.#open !== null || this.#full.length > 0) this.#flushAtTurnEnd();
  }

  #release(orders: number): void {
    this.#waiting -= orders;
    this.#counts.set(GAUGE.waitingOrders, this.#waiting);
    if (this.#waiting === 0) this.#onIdle?.();
  }

  /**
   * Frames that were never sent are refused for certain, so their clients need not wait longer. A journal
   * keeps to the deadline itself where it can; one whose disk hangs cannot, so what was sent is given up
   * here, a little later.
   */
  #refuseExpired(): void {
    const oldestMs = performance.now() - this.#bounds.commitMsMax;
    for (const sent of this.#sent) {
      if (sent.sentTickMs < oldestMs - SENT_GRACE_MS) this.#giveUp(sent);
    }
    while (this.#full.length > 0 && this.#full[0]!.openedTickMs < oldestMs) {
      this.#refuse(this.#full.shift()!);
    }
    if (this.#full.length === 0 && this.#open !== null && this.#open.openedTickMs < oldestMs) {
      const expired = this.#open;
      this.#open = null;
      this.#refuse(expired);
    }
  }

  #giveUp(sent: OpenFrame): void {
    this.#sent.delete(sent);
    this.#fail(sent, true);
    this.#release(sent.waiters.length);
  }

  #refuse(expired: OpenFrame): void {
    this.#fail(expired, false);
    this.#release(expired.waiters.length);
  }
}
