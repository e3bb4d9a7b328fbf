import { COUNTER, HISTOGRAM, type ThreadCounts } from '../metrics/count.js';
import type { Log } from '../model/log.js';
import {
  type BatchResult,
  OUTCOME_DEAD,
  OUTCOME_RETRY,
  OUTCOME_UNKNOWN,
} from '../model/pool-messages.js';
import type { BackoffBounds } from './backoff.js';
import { type Batch, batchMessage, singlesOf, splitBatch } from './batch.js';
import { HandlerLate } from './call-limit.js';
import type { BatchPool } from './dispatch.js';
import type { Outage, Turn } from './outage.js';
import type { Pacer } from './pace.js';

/** Bounds of the pause while what the handler works for is away. */
export const SINK_PAUSE: BackoffBounds = { retryMsMin: 100, retryMsMax: 5000 };
/** The same while the handler cannot be loaded: a thread that could not load it needs a moment to end. */
const LOAD_PAUSE: BackoffBounds = { retryMsMin: 1000, retryMsMax: 5000 };

const RETRY_ALONE = new Uint8Array([OUTCOME_RETRY]);
const DEAD_ALONE = new Uint8Array([OUTCOME_DEAD]);
const LOST_SIGHT_ALONE = new Uint8Array([OUTCOME_UNKNOWN]);

export interface RunnerParts {
  readonly pool: BatchPool;
  readonly pacer: Pacer;
  readonly counts: ThreadCounts;
  readonly outage: Outage;
  /** Learns of each batch that the handler finished. */
  readonly onFinished: (orders: number, handlerMs: number) => void;
  readonly log: Log;
  /** Learns which thread of the pool is alive. */
  readonly onThread: (tid: number) => void;
}

/** Why a batch as a whole came to nothing. */
interface Failure {
  readonly reason: string;
  /** What that makes of an order that stands alone. */
  readonly alone: Uint8Array;
  /** Another call may take as long again. */
  readonly isLate: boolean;
}

/**
 * Runs a batch in the pool and records the outcome of each order. A batch whose handler throws, or
 * kills its thread, is run again in halves until the culprit stands alone, so that one bad order does
 * not fail its neighbours: at most 2·log2(n) further calls for each culprit among n orders. Where the handler did not return, each call that
 * has the culprit in it takes as long again, so there the orders are run one by one. A batch that
 * could not be run at all waits for the end of the outage, and is run again as if nothing had been.
 */
export class BatchRunner {
  readonly #parts: RunnerParts;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
  }

  /** Resolves when each order of the batch has an outcome; never rejects. */
  async run(batch: Batch): Promise<void> {
    const failure = await this.#runWhole(batch);
    if (failure === null) return;
    if (batch.orders === 1) {
      const slice = batch.slices[0]!;
      slice.run.finish(slice, failure.alone, failure.reason);
      return;
    }
    for (const part of failure.isLate ? singlesOf(batch) : splitBatch(batch)) {
      await this.#admit(part.orders);
      await this.run(part);
    }
  }

  /** Null when its orders have outcomes, else why the batch as a whole came to nothing. */
  async #runWhole(batch: Batch): Promise<Failure | null> {
    const { outage } = this.#parts;
    for (;;) {
      const turn = await outage.turn();
      if (turn === null) {
        for (const slice of batch.slices) slice.run.finishUnrun(slice);
        return null;
      }
      if (turn.hasWaited) await this.#admit(batch.orders);
      const result = await this.#call(batch);
      const isLost = result instanceof Error;
      if (!isLost && this.#isAway(turn, result)) continue;
      outage.through(turn);
      if (isLost) return this.#tellLost(batch, result);
      if (result.thrown !== null) {
        this.#tellThrown(batch, result);
        const alone = result.thrownDead ? DEAD_ALONE : RETRY_ALONE;
        return { reason: result.thrown, alone, isLate: false };
      }
      this.#parts.onFinished(batch.orders, result.handlerMs);
      this.#record(batch, result.outcomes);
      return null;
    }
  }

  /** What the thread answers; or, when it died over the batch or was ended, why. */
  async #call(batch: Batch): Promise<BatchResult | Error> {
    try {
      return await this.#parts.pool.run(batchMessage(batch));
    } catch (error) {
      return error as Error;
    }
  }

  #tellLost({ orders }: Batch, err: Error): Failure {
    const { counts, log } = this.#parts;
    counts.add(COUNTER.handlerThreadDeaths);
    const isLate = err instanceof HandlerLate;
    if (isLate) {
      const next =
        orders === 1 ? 'the order is tried again or dead' : 'running its orders one by one';
      log('handler-late', `${err.message}: its thread was ended; ${next}`, { orders });
    } else {
      log('handler-thread-died', `the handler's thread died; running its batch again`, {
        orders,
        err,
      });
    }
    const reason = isLate ? err.message : `the handler's thread died: ${err.message}`;
    return { reason, alone: LOST_SIGHT_ALONE, isLate };
  }

  /** Its message may quote an order: dead letters keep that, the log does not. */
  #tellThrown({ orders }: Batch, { thrownAt }: BatchResult): void {
    const next = orders === 1 ? 'the order is tried again or dead' : 'running its batch in halves';
    this.#parts.log('handler-threw', `the handler threw ${thrownAt}; ${next}`, { orders });
  }

  /** Whether the batch could not be run, which is nobody's attempt. */
  #isAway(turn: Turn, { notLoaded, paused, tid, handlerMs }: BatchResult): boolean {
    const { outage, counts, onThread } = this.#parts;
    if (notLoaded !== null) {
      outage.away(turn, `the handler cannot be loaded: ${notLoaded}`, LOAD_PAUSE);
      return true;
    }
    onThread(tid);
    if (paused !== null) {
      outage.away(turn, awayText(paused), SINK_PAUSE);
      return true;
    }
    counts.observe(HISTOGRAM.handlerSeconds, handlerMs / 1000);
    return false;
  }

  #record(batch: Batch, outcomes: Uint8Array | null): void {
    let offset = 0;
    for (const slice of batch.slices) {
      const own = outcomes === null ? null : outcomes.subarray(offset, offset + slice.count);
      offset += slice.count;
      slice.run.finish(slice, own, 'the handler said so');
    }
  }

  /** Orders that run again are processed again, so they count towards the pace again. */
  async #admit(orders: number): Promise<void> {
    const { pacer } = this.#parts;
    let missing = orders - pacer.take(orders);
    while (missing > 0) {
      await new Promise((resolve) => setTimeout(resolve, Math.max(1, pacer.waitMs())));
      missing -= pacer.take(missing);
    }
  }
}

/** What the operator reads while the handler pauses. */
export function awayText(why: string): string {
  return `the handler waits: ${why}`;
}
