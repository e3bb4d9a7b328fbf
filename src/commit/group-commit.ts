import { performance } from 'node:perf_hooks';
import { sleepThread } from '../memory/thread-sleep.js';
import { COUNTER, commitHistogram, GAUGE, HISTOGRAM, type ThreadCounts } from '../metrics/count.js';
import { type Appender, CommitAmbiguous, VERDICT } from '../model/journal.js';
import type {
  BatchWaiter,
  Committer,
  KeyedBatchWaiter,
  KeyedWaiter,
  OrderBatch,
  OrderLine,
  Waiter,
} from '../model/stages.js';
import { BatchOrders, KeyedBatchOrders } from './batch-orders.js';
import { FrameBuilder, keyBytes } from './frame-builder.js';
import { FrameIds } from './frame-id.js';
import { Gathering } from './gathering.js';

export interface GroupCommitBounds {
  readonly frameOrdersMax: number;
  readonly frameBytesMax: number;
  readonly framesInFlightMax: number;
  /** Upper bound of this thread's orders whose frame is not durable yet. */
  readonly waitingOrdersMax: number;
  /** A frame that is not durable after this time fails: as refused if it was not sent yet, else as ambiguous. */
  readonly commitMsMax: number;
  /** Of the intake. With 0 it runs in the main thread, which has other work: no small frame is held, because the thread would sleep. */
  readonly threads: number;
}

/** Interval of the check for frames that have waited too long. */
const EXPIRY_CHECK_MS = 100;
/** Memory of the frames that are full and wait to be sent, per thread: large orders fill it before `waitingOrdersMax`. */
const QUEUE_BYTES_MAX = 256 * 1024 * 1024;
/** Extra time for a sent frame: a journal enforces `commitMsMax` itself if it can. */
const SENT_GRACE_MS = 500;

/**
 * Group commit: each thread fills one frame at a time. If no frame is in flight, it is sent at the end of the next
 * event-loop turn. Otherwise it is sent once it has as many orders as all frames in flight together, of which there are at most
 * `framesInFlightMax`. So batches grow with the load of the journal, without extra latency when idle. At a high rate, a small
 * frame is held for a fraction of a millisecond if none is in flight, see `Gathering`. A full frame is queued; the queue is bounded in bytes, and by the waiting orders.
 *
 * Source: DeWitt et al., "Implementation techniques for main memory database systems" (SIGMOD 1984), section 5.2.
 */
export class GroupCommit implements Committer {
  readonly #appender: Appender;
  readonly #bounds: GroupCommitBounds;
  readonly #counts: ThreadCounts;
  readonly #onCommitted: () => void;
  readonly #schema: string;
  readonly #ids = new FrameIds();
  readonly #queue: FrameBuilder[] = [];
  readonly #spare: FrameBuilder[] = [];
  readonly #sent = new Set<FrameBuilder>();
  readonly #expiry: NodeJS.Timeout;
  readonly #commitSeconds: number;
  /** Null if no frame may be held. */
  readonly #gathering: Gathering | null;
  /** Frames in the queue at most. */
  readonly #queuedMax: number;
  #current: FrameBuilder | null = null;
  #inFlight = 0;
  #inFlightOrders = 0;
  #waiting = 0;
  #flushIsDue = false;
  /** Some orders in the open frame or in the queue may have lost their client. */
  #someGone = false;
  #onIdle: (() => void) | null = null;

  /**
   * @param onCommitted called for each frame that became durable
   * @param schema digest of the schema that the orders are valid against; empty if it is not known
   */
  constructor(
    appender: Appender,
    bounds: GroupCommitBounds,
    counts: ThreadCounts,
    onCommitted: () => void,
    schema = '',
  ) {
    this.#appender = appender;
    this.#bounds = bounds;
    this.#counts = counts;
    this.#onCommitted = onCommitted;
    this.#schema = schema;
    this.#queuedMax = Math.max(1, Math.floor(QUEUE_BYTES_MAX / bounds.frameBytesMax));
    this.#commitSeconds = commitHistogram(appender.name);
    this.#gathering = bounds.threads > 0 ? new Gathering(bounds.frameOrdersMax) : null;
    this.#expiry = setInterval(() => this.#failExpired(), EXPIRY_CHECK_MS);
    this.#expiry.unref();
  }

  take(order: OrderLine, waiter: Waiter): boolean {
    const frame = this.#frameFor(1, order.compactLength, 0);
    if (frame === null) return false;
    frame.add(order, waiter);
    this.#taken(1);
    return true;
  }

  takeKeyed(order: OrderLine, waiter: KeyedWaiter): boolean {
    const frame = this.#frameFor(1, order.compactLength, keyBytes(waiter.key));
    if (frame === null) return false;
    frame.addKeyed(order, waiter);
    this.#taken(1);
    return true;
  }

  takeBatch(batch: OrderBatch, waiter: BatchWaiter): boolean {
    const frame = this.#frameFor(batch.count, batch.length, 0);
    if (frame === null) return false;
    frame.addBatch(batch, new BatchOrders(waiter, batch.count));
    this.#taken(batch.count);
    return true;
  }

  takeKeyedBatch(batch: OrderBatch, waiter: KeyedBatchWaiter): boolean {
    const frame = this.#frameFor(batch.count, batch.length, keyBytes(waiter.key));
    if (frame === null) return false;
    frame.addKeyedBatch(batch, new KeyedBatchOrders(waiter, batch.count));
    this.#taken(batch.count);
    return true;
  }

  batchBytesMax(key: string): number {
    return this.#bounds.frameBytesMax - (key === '' ? 0 : keyBytes(key));
  }

  withdrawGone(): void {
    this.#someGone = true;
    this.#flushSoon();
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

  /** The frame for orders of `orderBytes` with a key of `bytesOfKey`; null if they must be refused. */
  #frameFor(orders: number, orderBytes: number, bytesOfKey: number): FrameBuilder | null {
    if (this.#waiting + orders > this.#bounds.waitingOrdersMax) return null;
    // Checked once before each flush, because `writable` may have to check the disk.
    if (!this.#flushIsDue && !this.#appender.writable) return null;
    const current = this.#current;
    if (current === null) return this.#startFrame();
    if (current.hasRoomFor(orders, orderBytes, bytesOfKey)) return current;
    if (this.#queue.length >= this.#queuedMax) return null;
    this.#queue.push(current);
    return this.#startFrame();
  }

  #startFrame(): FrameBuilder {
    const { frameOrdersMax, frameBytesMax } = this.#bounds;
    const next = this.#spare.pop() ?? new FrameBuilder(frameOrdersMax, frameBytesMax, this.#schema);
    const nowMs = Date.now();
    next.start(this.#ids.next(nowMs), nowMs);
    this.#current = next;
    return next;
  }

  #taken(orders: number): void {
    this.#waiting += orders;
    this.#gathering?.requestArrived(orders);
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#flushIsDue) return;
    this.#flushIsDue = true;
    setImmediate(this.#flushNextTurn);
  }

  /**
   * One turn later: if a client has already disconnected, or has sent a second request that ends its connection, the
   * engine may find that out only in the next turn, and the order can still be withdrawn.
   */
  readonly #flushNextTurn = (): void => {
    setImmediate(this.#flush);
  };

  readonly #flush = (): void => {
    this.#flushIsDue = false;
    if (this.#someGone) this.#withdraw();
    while (this.#inFlight < this.#bounds.framesInFlightMax) {
      const next = this.#queue.shift() ?? this.#takeCurrent();
      if (next === null) break;
      this.#send(next);
    }
    this.#counts.set(GAUGE.waitingOrders, this.#waiting);
  };

  /** Empties frames of the orders whose client has disconnected. A frame without orders is dropped with its id. */
  #withdraw(): void {
    this.#someGone = false;
    const unsent = this.#queue.splice(0);
    for (const frame of unsent) {
      if (this.#hasOrdersLeft(frame)) this.#queue.push(frame);
    }
    if (this.#current !== null && !this.#hasOrdersLeft(this.#current)) this.#current = null;
  }

  #hasOrdersLeft(frame: FrameBuilder): boolean {
    const { requests } = frame;
    const gone = frame.removeGone();
    for (const waiter of gone) waiter.refused();
    this.#counts.add(COUNTER.ordersWithdrawn, gone.length);
    this.#release(gone.length, requests - frame.requests);
    if (frame.waiters.length > 0) return true;
    this.#keepSpare(frame);
    return false;
  }

  /** Null if the frame should grow first: every frame can cost a flush, so a few large frames are faster than many small ones. */
  #takeCurrent(): FrameBuilder | null {
    const current = this.#current;
    const orders = current?.waiters.length ?? 0;
    if (current === null || orders < this.#inFlightOrders) return null;
    if (this.#inFlight === 0 && this.#gathering !== null) {
      const holdMs = this.#gathering.holdMs(orders, current.startedTickMs, performance.now());
      if (holdMs > 0) {
        this.#sleep(holdMs);
        return null;
      }
    }
    this.#current = null;
    return current;
  }

  /**
   * Stops the thread. A timer would do, but at such a rate most of the cost of an order is that the thread wakes up for it.
   * No acknowledgement can come meanwhile, because no frame is in flight. What clients send is read in the next turn.
   */
  #sleep(ms: number): void {
    sleepThread(ms);
    this.#flushSoon();
  }

  #send(sent: FrameBuilder): void {
    this.#inFlight++;
    const orders = sent.waiters.length;
    this.#inFlightOrders += orders;
    this.#sent.add(sent);
    sent.markSent();
    const startedMs = performance.now();
    this.#appender.commit(sent.frame()).then(
      (verdicts) => {
        const { requests } = sent;
        const { length } = sent.waiters;
        this.#inFlightOrders -= orders;
        if (!this.#sent.delete(sent)) {
          // The clients got no answer, but the frame is durable: it will be processed.
          this.#counts.add(COUNTER.ordersAccepted, length);
          for (const waiter of sent.keyed) waiter.acceptedLate();
          this.#finish(0, 0);
          return;
        }
        this.#counts.observe(this.#commitSeconds, (performance.now() - startedMs) / 1000);
        this.#counts.observe(HISTOGRAM.frameOrders, length);
        this.#counts.add(COUNTER.framesCommitted);
        this.#accept(sent, verdicts);
        this.#onCommitted();
        // Only after success, because a journal may still use the bytes of a failed commit.
        this.#keepSpare(sent);
        this.#finish(length, requests);
      },
      (error: unknown) => {
        const { requests } = sent;
        const { length } = sent.waiters;
        this.#inFlightOrders -= orders;
        if (!this.#sent.delete(sent)) {
          if (!(error instanceof CommitAmbiguous)) {
            for (const waiter of sent.keyed) waiter.refusedLate();
          }
          this.#finish(0, 0);
          return;
        }
        this.#fail(sent, error instanceof CommitAmbiguous);
        this.#finish(length, requests);
      },
    );
  }

  #keepSpare(frame: FrameBuilder): void {
    if (this.#spare.length < this.#bounds.framesInFlightMax) this.#spare.push(frame);
  }

  #accept(sent: FrameBuilder, verdicts: Uint8Array | null): void {
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

  #fail(sent: FrameBuilder, ambiguous: boolean): void {
    this.#counts.add(ambiguous ? COUNTER.commitsAmbiguous : COUNTER.commitsRefused);
    for (const waiter of sent.waiters) {
      if (ambiguous) waiter.ambiguous();
      else waiter.refused();
    }
  }

  #finish(orders: number, requests: number): void {
    this.#inFlight--;
    this.#release(orders, requests);
    if (this.#current !== null || this.#queue.length > 0) this.#flushSoon();
  }

  #release(orders: number, requests: number): void {
    this.#waiting -= orders;
    this.#gathering?.requestsAnswered(requests);
    this.#counts.set(GAUGE.waitingOrders, this.#waiting);
    if (this.#waiting === 0) this.#onIdle?.();
  }

  /**
   * Frames that were never sent are certainly not durable, so they are refused and their clients do not have to wait
   * longer. A journal enforces the deadline of sent frames itself if it can. A journal on a hanging disk cannot, so sent
   * frames are abandoned here, a little later.
   */
  #failExpired(): void {
    const oldestMs = performance.now() - this.#bounds.commitMsMax;
    for (const sent of this.#sent) {
      if (sent.sentTickMs < oldestMs - SENT_GRACE_MS) this.#abandon(sent);
    }
    while (this.#queue.length > 0 && this.#queue[0]!.startedTickMs < oldestMs) {
      this.#refuse(this.#queue.shift()!);
    }
    if (
      this.#queue.length === 0 &&
      this.#current !== null &&
      this.#current.startedTickMs < oldestMs
    ) {
      const expired = this.#current;
      this.#current = null;
      this.#refuse(expired);
    }
  }

  #abandon(sent: FrameBuilder): void {
    this.#sent.delete(sent);
    this.#fail(sent, true);
    this.#release(sent.waiters.length, sent.requests);
  }

  #refuse(expired: FrameBuilder): void {
    this.#fail(expired, false);
    this.#release(expired.waiters.length, expired.requests);
  }
}
