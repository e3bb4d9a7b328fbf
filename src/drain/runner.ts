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
import { type Batch, batchMessage, singlesOf, splitAt, splitBatch } from './batch.js';
import { HandlerTimeout } from './call-timeout.js';
import type { HandCall, HandFile } from './hand-file.js';
import type { BatchPool } from './handler-pool.js';
import { deathText } from './handler-thread.js';
import type { Outage, Permit } from './outage.js';
import type { Pacer } from './pace.js';
import type { Grant } from './slot-window.js';

/** Bounds of the pause after the handler threw with `pause: true`. */
export const PAUSE_BOUNDS: BackoffBounds = { retryMsMin: 100, retryMsMax: 5000 };
/** The same if the handler cannot be loaded. Longer, because the thread that could not load it must end first. */
const LOAD_PAUSE_BOUNDS: BackoffBounds = { retryMsMin: 1000, retryMsMax: 5000 };

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

  /**
   * Resolves when each order of the batch has an outcome; never rejects. Called while the term has its orders.
   * @param grant for all orders of the batch
   */
  async run(batch: Batch, grant: Grant): Promise<void> {
    const term = this.#parts.termNow();
    const waiting = await this.#runPart(term, batch, grant);
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      waiting.unshift(...(await this.#runPart(term, next, null)));
    }
  }

  /** Returns what is to run again, in parts. @param given null if the orders wait for a grant */
  async #runPart(term: number, batch: Batch, given: Grant | null): Promise<Batch[]> {
    const { outage, pacer } = this.#parts;
    // While they wait for the end of an outage, others may use their slots.
    if (outage.isOn) given?.giveBack();
    const kept = outage.isOn ? null : given;
    const permit = await outage.acquire();
    const grant = permit === null ? kept : (kept ?? (await pacer.admit(batch.orders)));
    if (permit === null || grant === null || !this.#owns(term, batch)) {
      if (permit !== null) outage.giveBack(permit);
      grant?.giveBack();
      for (const slice of batch.slices) slice.run.finishUnrun(slice);
      return [];
    }
    // The rate may not allow all of them together.
    if (grant.orders === batch.orders) return this.#runGranted(batch, permit, grant);
    const [part, rest] = splitAt(batch, grant.orders);
    return [...(await this.#runGranted(part, permit, grant)), rest];
  }

  async #runGranted(batch: Batch, permit: Permit, grant: Grant): Promise<Batch[]> {
    const { outage } = this.#parts;
    const result = await this.#call(batch, grant);
    if (result instanceof Error) {
      outage.end(permit);
      return this.#fail(batch, this.#reportLost(batch, result));
    }
    if (result.notStarted) {
      outage.giveBack(permit);
      return [batch];
    }
    if (this.#isOutage(permit, result)) return [batch];
    outage.end(permit);
    if (result.thrown !== null) {
      this.#reportThrown(batch, result.thrown);
      const outcome = result.thrownDead ? SINGLE_DEAD : SINGLE_RETRY;
      return this.#fail(batch, { failure: result.thrown, outcome, isTimeout: false });
    }
    this.#parts.onFinished(batch.orders, result.handlerMs);
    this.#record(batch, result);
    return [];
  }

  #fail(batch: Batch, { failure, outcome, isTimeout }: BatchFailure): Batch[] {
    if (batch.orders > 1) return isTimeout ? singlesOf(batch) : splitBatch(batch);
    const slice = batch.slices[0]!;
    slice.run.finish(slice, outcome, () => failure);
    return [];
  }

  /** False if another process may have taken an order while the batch waited, or while an earlier call with it ran. */
  #owns(term: number, { slices }: Batch): boolean {
    return this.#parts.termNow() === term && slices.every(({ run }) => !run.isLost());
  }

  /** The result, or the error if the thread died or was ended. */
  async #call(batch: Batch, grant: Grant): Promise<BatchResult | Error> {
    const { pool, hand } = this.#parts;
    const call = hand?.take(batch.slices.length) ?? null;
    try {
      const result = await pool.run(batchMessage(batch, call?.slot ?? null), grant);
      if (call !== null) this.#endCall(batch, call, result);
      return result;
    } catch (error) {
      if (call !== null) hand?.drop(call);
      return error as Error;
    }
  }

  #endCall({ slices }: Batch, call: HandCall, result: BatchResult): void {
    const { hand } = this.#parts;
    const { notLoaded, notStarted, paused, thrown } = result;
    if (notStarted || notLoaded !== null || paused !== null || thrown !== null) {
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
      const how = deathText(err);
      log('handler-thread-died', `the handler's thread died: ${how}; running its batch again`, {
        orders,
        ...soleOrderId(slices),
        err,
      });
    }
    const died = `the handler's thread died: `;
    const shown = isTimeout ? err.message : died + deathText(err);
    const reason = isTimeout ? shown : died + err.message;
    const kind = isTimeout ? 'handler timeout' : shown;
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
