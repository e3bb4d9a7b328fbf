import { COUNTER, HISTOGRAM, type ThreadCounts } from '../metrics/count.js';
import type { BackoffBounds } from '../model/backoff.js';
import { orderId } from '../model/frame.js';
import type { Log } from '../model/log.js';
import {
  type BatchResult,
  type Failure,
  INVALID_OUTCOME,
  OUTCOME_DEAD,
  OUTCOME_RETRY,
  OUTCOME_UNKNOWN,
  unexplained,
} from '../model/pool-messages.js';
import { type Batch, batchMessage, singlesOf, splitBatch } from './batch.js';
import { HandlerTimeout } from './call-timeout.js';
import type { HandCall, HandFile } from './hand-file.js';
import type { BatchPool } from './handler-pool.js';
import type { Outage, Permit } from './outage.js';
import type { Pacer } from './pace.js';

/** Bounds of the pause after the handler threw with `pause: true`. */
export const PAUSE_BOUNDS: BackoffBounds = { retryMsMin: 100, retryMsMax: 5000 };
/** The same if the handler cannot be loaded. Longer, because the thread that could not load it must end first. */
const LOAD_PAUSE_BOUNDS: BackoffBounds = { retryMsMin: 1000, retryMsMax: 5000 };

/** How late a change of the rate can be seen while orders wait to run again. */
const ADMIT_POLL_MS = 100;

const SINGLE_RETRY = new Uint8Array([OUTCOME_RETRY]);
const SINGLE_DEAD = new Uint8Array([OUTCOME_DEAD]);
const SINGLE_UNKNOWN = new Uint8Array([OUTCOME_UNKNOWN]);

export interface RunnerParts {
  readonly pool: BatchPool;
  readonly pacer: Pacer;
  readonly counts: ThreadCounts;
  readonly outage: Outage;
  /** See `Source.term`. */
  readonly termNow: () => number;
  /** Null in direct mode. */
  readonly hand: HandFile | null;
  /** Called for each batch that the handler completed. */
  readonly onFinished: (orders: number, handlerMs: number) => void;
  readonly log: Log;
  /** Called with the id of the pool thread that returned a result. */
  readonly onThread: (tid: number) => void;
}

/** Why a batch failed as a whole. */
interface BatchFailure {
  readonly failure: Failure;
  /** The outcome for a batch of one order. */
  readonly outcome: Uint8Array;
  /** It timed out: another call with the same orders can take as long again. */
  readonly isTimeout: boolean;
}

/**
 * Runs a batch in the pool and records the outcome of each order. If the handler throws or its thread dies, the batch is
 * run again in halves until the failing order is isolated, so that it does not fail its neighbours: at most 2·log2(n)
 * further calls for each failing order among n. If the handler timed out, each call with the failing order would take
 * as long again, so the orders are run one by one. A batch that could not be run at all waits for the end of the
 * outage and is run again as if it were new.
 */
export class BatchRunner {
  readonly #parts: RunnerParts;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
  }

  /** Resolves when each order of the batch has an outcome; never rejects. Called while the term has its orders. */
  run(batch: Batch): Promise<void> {
    return this.#runIn(this.#parts.termNow(), batch);
  }

  async #runIn(term: number, batch: Batch): Promise<void> {
    const failed = await this.#runWhole(term, batch);
    if (failed === null) return;
    if (batch.orders === 1) {
      const slice = batch.slices[0]!;
      slice.run.finish(slice, failed.outcome, () => failed.failure);
      return;
    }
    for (const part of failed.isTimeout ? singlesOf(batch) : splitBatch(batch)) {
      await this.#admit(part.orders);
      await this.#runIn(term, part);
    }
  }

  /** Null if all orders have outcomes, else why the batch failed as a whole. */
  async #runWhole(term: number, batch: Batch): Promise<BatchFailure | null> {
    const { outage } = this.#parts;
    for (;;) {
      const permit = await outage.acquire();
      if (permit?.hasWaited) await this.#admit(batch.orders);
      if (permit === null || !this.#owns(term, batch)) {
        if (permit !== null) outage.giveBack(permit);
        for (const slice of batch.slices) slice.run.finishUnrun(slice);
        return null;
      }
      const result = await this.#call(batch);
      const isLost = result instanceof Error;
      if (!isLost && this.#isOutage(permit, result)) continue;
      outage.end(permit);
      if (isLost) return this.#reportLost(batch, result);
      if (result.thrown !== null) {
        this.#reportThrown(batch, result.thrown);
        const outcome = result.thrownDead ? SINGLE_DEAD : SINGLE_RETRY;
        return { failure: result.thrown, outcome, isTimeout: false };
      }
      this.#parts.onFinished(batch.orders, result.handlerMs);
      this.#record(batch, result);
      return null;
    }
  }

  /** False if another process may have taken an order while the batch waited, or while an earlier call with it ran. */
  #owns(term: number, { slices }: Batch): boolean {
    return this.#parts.termNow() === term && slices.every(({ run }) => !run.isLost());
  }

  /** The result, or the error if the thread died or was ended. */
  async #call(batch: Batch): Promise<BatchResult | Error> {
    const { pool, hand } = this.#parts;
    const call = hand?.take(batch.slices.length) ?? null;
    try {
      const result = await pool.run(batchMessage(batch, call?.slot ?? null));
      if (call !== null) this.#endCall(batch, call, result);
      return result;
    } catch (error) {
      if (call !== null) hand?.drop(call);
      return error as Error;
    }
  }

  #endCall({ slices }: Batch, call: HandCall, result: BatchResult): void {
    const { hand } = this.#parts;
    if (result.notLoaded !== null || result.paused !== null || result.thrown !== null) {
      hand?.drop(call);
      return;
    }
    hand?.ended(call);
    for (const { run } of slices) run.calls.push(call);
  }

  #reportLost({ orders, slices }: Batch, err: Error): BatchFailure {
    const { counts, log } = this.#parts;
    counts.add(COUNTER.handlerThreadDeaths);
    const isTimeout = err instanceof HandlerTimeout;
    if (isTimeout) {
      const next = orders === 1 ? 'the order is retried or dead' : 'running its orders one by one';
      log('handler-late', `${err.message}: its thread was ended; ${next}`, {
        orders,
        ...soleOrderId(slices),
      });
    } else {
      log('handler-thread-died', `the handler's thread died; running its batch again`, {
        orders,
        ...soleOrderId(slices),
        err,
      });
    }
    const shown = isTimeout ? err.message : `the handler's thread died`;
    const reason = isTimeout ? shown : `${shown}: ${err.message}`;
    const kind = isTimeout ? 'handler timeout' : 'handler thread died';
    return { failure: { reason, shown, kind }, outcome: SINGLE_UNKNOWN, isTimeout };
  }

  /** The error message may quote an order, so it goes to dead letters but not to the log. */
  #reportThrown({ orders, slices }: Batch, { shown }: Failure): void {
    const next = orders === 1 ? 'the order is retried or dead' : 'running its batch in halves';
    this.#parts.log('handler-threw', `${shown}; ${next}`, { orders, ...soleOrderId(slices) });
  }

  /** Whether the batch could not be run. Then it does not count as an attempt of its orders. */
  #isOutage(permit: Permit, { notLoaded, paused, tid, handlerMs }: BatchResult): boolean {
    const { outage, counts, onThread } = this.#parts;
    if (notLoaded !== null) {
      outage.begin(permit, `the handler cannot be loaded: ${notLoaded}`, LOAD_PAUSE_BOUNDS);
      return true;
    }
    onThread(tid);
    if (paused !== null) {
      outage.begin(permit, pauseText(paused.why), PAUSE_BOUNDS, paused.retryAfterMs);
      return true;
    }
    counts.observe(HISTOGRAM.handlerSeconds, handlerMs / 1000);
    return false;
  }

  /** Orders whose outcome is none; the others of the batch have theirs. */
  #reportInvalid(notes: NonNullable<BatchResult['notes']>): void {
    const [first, ...others] = [...notes.values()].filter(({ kind }) => kind === INVALID_OUTCOME);
    if (first === undefined) return;
    const orders = 1 + others.length;
    const next = orders === 1 ? 'the order is retried or dead' : 'the orders are retried or dead';
    this.#parts.log('handler-threw', `${first.shown}; ${next}`, { orders });
  }

  #record(batch: Batch, { outcomes, notes }: BatchResult): void {
    if (notes !== null) this.#reportInvalid(notes);
    let offset = 0;
    for (const slice of batch.slices) {
      const first = offset;
      offset += slice.count;
      const own = outcomes === null ? null : outcomes.subarray(first, offset);
      slice.run.finish(
        slice,
        own,
        (index) => notes?.get(first + index) ?? unexplained(own![index]!),
      );
    }
  }

  /** Orders that run again count towards the drain rate again. */
  async #admit(orders: number): Promise<void> {
    const { pacer } = this.#parts;
    let missing = orders - pacer.take(orders);
    while (missing > 0) {
      const waitMs = Math.min(ADMIT_POLL_MS, Math.max(1, pacer.waitMs()));
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      missing -= pacer.take(missing);
    }
  }
}

/** The field of the log for a batch of one order. */
function soleOrderId([slice, ...others]: Batch['slices']): { readonly order?: string } {
  if (slice === undefined || others.length > 0 || slice.count > 1) return {};
  return { order: orderId(slice.run.frame, slice.position) };
}

/** The reason in the log and in /readyz while the handler pauses. */
export function pauseText(why: string): string {
  return `the handler is paused: ${why}`;
}
