import { setTimeout as sleep } from 'node:timers/promises';
import { COUNTER, HISTOGRAM, type ThreadCounts } from '../metrics/count.js';
import type { Frame } from '../model/frame.js';
import type { DeadLetter, Delivery, Refile, Settlement, Source } from '../model/journal.js';
import { OUTCOME_DEAD, OUTCOME_NOT_RUN } from '../model/pool-messages.js';
import { type BackoffBounds, backoffMs } from './backoff.js';
import type { DeadBound } from './dead-bound.js';
import { FrameRun } from './frame-run.js';
import type { Scheduler } from './scheduler.js';

/**
 * Between two pulls while frames come in: those of so long are pulled together, for each pull costs writes, wake-ups and
 * lines in a ledger, however much it brings. Longer once many come: then what is done with them together is worth more. An
 * order that comes in when all is quiet is pulled at once.
 */
const GATHER_MS = 5;
const GATHER_MANY_MS = 40;
const MANY_FRAMES = 4;

export interface DrainBounds extends BackoffBounds {
  /** Milliseconds that a stop waits for settlements, for a journal that is away may never take them. */
  readonly settleMsMax: number;
  /** Frames in hand, whether waiting, with the pool, or being settled. */
  readonly framesMax: number;
  readonly attemptsMax: number;
}

/** Pulls frames from the journal as there is room for them, has them processed, and settles each. */
export class Drain {
  readonly #source: Source;
  readonly #scheduler: Scheduler;
  readonly #counts: ThreadCounts;
  readonly #bounds: DrainBounds;
  readonly #deadBound: DeadBound;
  readonly #stopPulling = new AbortController();
  readonly #inHand = new Map<FrameRun, Delivery>();
  readonly #settling = new Set<Promise<void>>();
  #onRoom: (() => void) | null = null;
  #pulling: Promise<void> = Promise.resolve();

  constructor(
    source: Source,
    scheduler: Scheduler,
    counts: ThreadCounts,
    bounds: DrainBounds,
    deadBound: DeadBound,
  ) {
    this.#source = source;
    this.#scheduler = scheduler;
    this.#counts = counts;
    this.#bounds = bounds;
    this.#deadBound = deadBound;
  }

  start(): void {
    this.#pulling = this.#pull();
  }

  /**
   * Pulls nothing more, waits for what the pool has, settles it, and puts the rest back: frames not
   * begun as they were, of the others only the orders not handed out yet. What cannot be settled in time
   * stays in the journal and is processed again after the next start.
   */
  async stop(): Promise<void> {
    this.#stopPulling.abort();
    this.#onRoom?.();
    await this.#pulling;
    for (const run of await this.#scheduler.stop()) this.#putBack(run);
    await Promise.race([
      this.#settled(),
      sleep(this.#bounds.settleMsMax, undefined, { ref: false }),
    ]);
  }

  async #settled(): Promise<void> {
    while (this.#settling.size > 0) await Promise.all(this.#settling);
  }

  async #pull(): Promise<void> {
    const { signal } = this.#stopPulling;
    while (!signal.aborted) {
      const credit = this.#bounds.framesMax - this.#inHand.size;
      if (credit <= 0) {
        await new Promise<void>((resolve) => {
          this.#onRoom = resolve;
        });
        continue;
      }
      const deliveries = await this.#source.pull(credit, signal);
      // Nothing at all means that there will never be anything: told to stop, or closed.
      if (deliveries.length === 0) return;
      for (const delivery of deliveries) this.#begin(delivery);
      if (deliveries.length >= credit) continue;
      await sleep(deliveries.length < MANY_FRAMES ? GATHER_MS : GATHER_MANY_MS);
    }
  }

  #begin(delivery: Delivery): void {
    const { frame } = delivery;
    const settle = (complete: FrameRun) => this.#settle(complete, this.#settlement(complete, []));
    const run = new FrameRun(frame, settle, {
      isLost: () => delivery.isLost,
      onDone: (orders) => this.#countDone(frame, orders),
    });
    this.#inHand.set(run, delivery);
    this.#scheduler.add(run);
  }

  #putBack(run: FrameRun): void {
    if (run.cutOrders === 0) {
      this.#inHand.get(run)!.release();
      this.#inHand.delete(run);
      return;
    }
    const positions = Array.from({ length: run.uncut }, (_, i) => run.cutOrders + i);
    const { attempt } = run.frame;
    this.#settle(run, this.#settlement(run, [{ positions, attempt, notBeforeMs: 0 }]));
  }

  /** Counts what became of the orders and says what the journal must keep of them. */
  #settlement(run: FrameRun, unfinished: readonly Refile[]): Settlement {
    const { attempt } = run.frame;
    const again: number[] = [];
    const retry: number[] = [];
    const dead: DeadLetter[] = [];
    for (const { position, outcome, reason } of run.failed) {
      if (outcome === OUTCOME_NOT_RUN) again.push(position);
      else if (outcome === OUTCOME_DEAD) dead.push({ position, reason });
      else if (attempt >= this.#bounds.attemptsMax) {
        dead.push({ position, reason: `${reason} (attempt ${attempt}, the last)` });
      } else retry.push(position);
    }
    const refile = [...unfinished];
    if (again.length > 0) refile.push({ positions: again, attempt, notBeforeMs: 0 });
    if (retry.length > 0) {
      const notBeforeMs = Date.now() + backoffMs(attempt, this.#bounds);
      refile.push({ positions: retry, attempt: attempt + 1, notBeforeMs });
    }
    const refused = dead.splice(this.#deadBound.take(dead.length));
    if (refused.length > 0) {
      const positions = refused.map(({ position }) => position);
      refile.push({ positions, attempt, notBeforeMs: Date.now() + this.#bounds.retryMsMax });
      this.#counts.add(COUNTER.deadRefused, refused.length);
    }
    this.#counts.add(COUNTER.workError, dead.length);
    return { refile, dead };
  }

  /** As they are done, not when their frame is: the rate of work done is what the pace makes it. */
  #countDone(frame: Frame, orders: number): void {
    const ageSeconds = Math.max(0, Date.now() - frame.acceptedAtMs) / 1000;
    this.#counts.add(COUNTER.workDone, orders);
    this.#counts.observe(HISTOGRAM.orderAgeSeconds, ageSeconds, orders);
  }

  #settle(run: FrameRun, settlement: Settlement): void {
    const settling = this.#inHand
      .get(run)!
      .settle(settlement)
      .then(() => {
        this.#deadBound.filed(settlement.dead.length);
        // Only now: whoever reads that there is a dead letter must find it.
        this.#counts.add(COUNTER.dead, settlement.dead.length);
        this.#counts.add(COUNTER.retries, retried(run, settlement));
        this.#inHand.delete(run);
        this.#settling.delete(settling);
        this.#onRoom?.();
        this.#onRoom = null;
      });
    this.#settling.add(settling);
  }
}

/** Orders that are filed again for another attempt; the others that are filed again were not tried. */
function retried({ frame }: FrameRun, { refile }: Settlement): number {
  return refile
    .filter(({ attempt }) => attempt > frame.attempt)
    .reduce((sum, { positions }) => sum + positions.length, 0);
}
