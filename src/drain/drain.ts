import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { COUNTER, HISTOGRAM, type ThreadCounts } from '../metrics/count.js';
import type { BackoffBounds } from '../model/backoff.js';
import { type Frame, orderId } from '../model/frame.js';
import type { Delivery, Refile, Settlement, Source } from '../model/journal.js';
import type { Log } from '../model/log.js';
import { type Failure, OUTCOME_DEAD, OUTCOME_NOT_RUN } from '../model/pool-messages.js';
import type { DeadOrder, FailureReport } from './failures.js';
import { type FailedOrder, FrameRun } from './frame-run.js';
import { refileGroups } from './retry-times.js';
import type { Scheduler } from './scheduler.js';
import { crashesOf, type Separation, separationOf } from './suspects.js';

/**
 * Pause between two pulls while frames arrive, so that several frames are pulled together: each pull costs writes,
 * wake-ups and ledger entries, however many frames it returns. The pause is longer if a pull returned many frames. After a
 * quiet time the first order is pulled at once.
 */
const PULL_PAUSE_MS = 5;
const PULL_PAUSE_BUSY_MS = 40;
const BUSY_FRAMES = 4;

/**
 * Interval at which it is noted which orders have ended, of frames that are not complete. If this process is frozen or dies
 * and another takes over, what ended since is processed twice.
 */
const NOTE_MS = 50;

export interface DrainBounds extends BackoffBounds {
  /** How long a stop waits for settlements: an unreachable journal may never accept them. */
  readonly settleMsMax: number;
  /** Frames in progress: queued, in the pool, or being settled. */
  readonly framesMax: number;
  readonly attemptsMax: number;
}

/** A settlement, with why orders failed. */
interface Settling extends Settlement {
  readonly dead: readonly DeadOrder[];
  /** Of the orders that are tried again. */
  readonly retried: readonly Failure[];
}

/** Pulls frames from the journal while there is room for them, has them processed, and settles each. */
export class Drain {
  readonly #source: Source;
  readonly #scheduler: Scheduler;
  readonly #counts: ThreadCounts;
  readonly #bounds: DrainBounds;
  readonly #deadLetterLimit: DeadLetterLimit;
  readonly #failures: FailureReport;
  readonly #log: Log;
  readonly #stopPulling = new AbortController();
  readonly #inProgress = new Map<FrameRun, Delivery>();
  readonly #settling = new Set<Promise<void>>();
  /** Frames in progress with an order that may have killed a process. Each has one order, so they take no room. */
  readonly #suspects = new Set<FrameRun>();
  #onRoom: (() => void) | null = null;
  #pulling: Promise<void> = Promise.resolve();
  #noting: NodeJS.Timeout | undefined;

  constructor(
    source: Source,
    scheduler: Scheduler,
    counts: ThreadCounts,
    bounds: DrainBounds,
    deadLetterLimit: DeadLetterLimit,
    failures: FailureReport,
    log: Log,
  ) {
    this.#source = source;
    this.#scheduler = scheduler;
    this.#counts = counts;
    this.#bounds = bounds;
    this.#deadLetterLimit = deadLetterLimit;
    this.#failures = failures;
    this.#log = log;
  }

  start(): void {
    this.#pulling = this.#pull();
    this.#noting = setInterval(() => {
      for (const run of this.#inProgress.keys()) run.noteEnded().catch(() => {});
    }, NOTE_MS);
    this.#noting.unref();
  }

  /**
   * Stops pulling, waits for the batches in the pool, settles them, and puts the rest back: unstarted frames as they were,
   * and of started frames the orders not handed out yet. Frames that cannot be settled in time stay in the journal and
   * are processed again after the next start.
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
    this.#failures.flush();
    clearInterval(this.#noting);
  }

  async #settled(): Promise<void> {
    while (this.#settling.size > 0) await Promise.all(this.#settling);
  }

  async #pull(): Promise<void> {
    const { signal } = this.#stopPulling;
    while (!signal.aborted) {
      const credit = this.#bounds.framesMax - (this.#inProgress.size - this.#suspects.size);
      if (credit <= 0) {
        await new Promise<void>((resolve) => {
          this.#onRoom = resolve;
        });
        // Frames are settled in groups: with the room that the whole group leaves, one pull is enough.
        await setImmediate();
        continue;
      }
      const deliveries = await this.#source.pull(credit, signal, this.#scheduler.aheadRoom);
      // An empty result means that the pull was aborted or the source is closed.
      if (deliveries.length === 0) return;
      for (const delivery of deliveries) this.#begin(delivery);
      if (deliveries.length >= credit) continue;
      await sleep(deliveries.length < BUSY_FRAMES ? PULL_PAUSE_MS : PULL_PAUSE_BUSY_MS);
    }
  }

  #begin(delivery: Delivery): void {
    const { frame } = delivery;
    const settle = (complete: FrameRun) => this.#settle(complete, this.#settlement(complete, []));
    const crashes = crashesOf(delivery);
    const run = new FrameRun(frame, settle, {
      isLost: () => delivery.isLost,
      onDone: (orders) => this.#countDone(frame, orders),
      crashes,
      startsAlone: () => delivery.startsAlone(crashes + 1),
      begunMax: delivery.begunMax,
      note: delivery.note,
    });
    this.#inProgress.set(run, delivery);
    const separation = separationOf(delivery, this.#bounds.attemptsMax);
    if (separation !== null) {
      this.#separate(run, separation);
      return;
    }
    if (crashes > 0) {
      this.#suspects.add(run);
      this.#counts.add(COUNTER.suspectRuns);
    }
    this.#scheduler.add(run);
  }

  /** Files the suspects of a frame again, each by itself, before any order of it runs. */
  #separate(run: FrameRun, { refile, dead }: Separation): void {
    const kept = dead.slice(0, this.#deadLetterLimit.take(dead.length));
    const refused = dead.slice(kept.length).map(({ position, crashes }) => ({
      positions: [position],
      attempt: run.frame.attempt,
      notBeforeMs: Date.now() + this.#bounds.retryMsMax,
      crashes,
    }));
    this.#counts.add(COUNTER.deadRefused, refused.length);
    this.#counts.add(COUNTER.workError, kept.length);
    for (const { position, reason } of kept) {
      this.#log('order-kills', `${reason}: the order is a dead letter now`, {
        order: orderId(run.frame, position),
      });
    }
    this.#settle(run, { refile: [...refile, ...refused], dead: kept, retried: [] });
  }

  #putBack(run: FrameRun): void {
    if (run.cutOrders === 0) {
      this.#inProgress.get(run)!.release();
      this.#inProgress.delete(run);
      return;
    }
    const positions = Array.from({ length: run.uncut }, (_, i) => run.cutOrders + i);
    const { attempt } = run.frame;
    const crashes = run.crashes || undefined;
    this.#settle(run, this.#settlement(run, [{ positions, attempt, notBeforeMs: 0, crashes }]));
  }

  /** Counts the outcomes of the orders and returns which of them the journal must keep. */
  #settlement(run: FrameRun, unfinished: readonly Refile[]): Settling {
    const { attempt } = run.frame;
    // A crash counts as an attempt.
    const attempts = attempt + run.crashes;
    const crashes = run.crashes || undefined;
    const notRun: number[] = [];
    const retry: FailedOrder[] = [];
    const dead: DeadOrder[] = [];
    for (const failed of run.failed) {
      const { position, outcome, failure } = failed;
      const { reason } = failure;
      if (outcome === OUTCOME_NOT_RUN) notRun.push(position);
      else if (outcome === OUTCOME_DEAD) dead.push({ position, reason, attempts, failure });
      else if (attempts >= this.#bounds.attemptsMax) {
        const last = `${reason} (attempt ${attempts}, the last)`;
        dead.push({ position, reason: last, attempts, failure });
      } else retry.push(failed);
    }
    const refile = [...unfinished, ...refileGroups(retry, attempt, crashes, this.#bounds)];
    if (notRun.length > 0) refile.push({ positions: notRun, attempt, notBeforeMs: 0, crashes });
    const refused = dead.splice(this.#deadLetterLimit.take(dead.length));
    if (refused.length > 0) {
      const positions = refused.map(({ position }) => position);
      const notBeforeMs = Date.now() + this.#bounds.retryMsMax;
      refile.push({ positions, attempt, notBeforeMs, crashes });
      this.#counts.add(COUNTER.deadRefused, refused.length);
    }
    this.#counts.add(COUNTER.workError, dead.length);
    return { refile, dead, retried: retry.map(({ failure }) => failure) };
  }

  /** Called as orders are done, not when their frame is, so that the counted rate follows the pace. */
  #countDone(frame: Frame, orders: number): void {
    const ageSeconds = Math.max(0, Date.now() - frame.acceptedAtMs) / 1000;
    this.#counts.add(COUNTER.workDone, orders);
    this.#counts.observe(HISTOGRAM.orderAgeSeconds, ageSeconds, orders);
  }

  #settle(run: FrameRun, settlement: Settling): void {
    this.#scheduler.settleStarts();
    const settling = this.#inProgress
      .get(run)!
      .settle(settlement)
      .then(() => {
        this.#deadLetterLimit.filed(settlement.dead.length);
        // Counted after it is filed: a reader of the count must find the dead letter.
        this.#counts.add(COUNTER.dead, settlement.dead.length);
        this.#counts.add(COUNTER.retries, settlement.retried.length);
        this.#failures.retried(settlement.retried);
        for (const order of settlement.dead) {
          this.#failures.dead(orderId(run.frame, order.position), order);
        }
        this.#inProgress.delete(run);
        this.#suspects.delete(run);
        for (const call of run.calls) call.frameSettled();
        this.#settling.delete(settling);
        this.#scheduler.settleEnds();
        this.#onRoom?.();
        this.#onRoom = null;
      });
    this.#settling.add(settling);
  }
}

/** Interval between two lines of the log. Once the limit is reached, every settlement can hit it. */
const LIMIT_LOG_MS = 60_000;

/**
 * Bounds the number of dead letters. A dead letter is never evicted for a new one: an order beyond the limit is retried
 * later instead.
 */
export class DeadLetterLimit {
  readonly #journal: Pick<Source, 'deadLetters'>;
  readonly #lettersMax: number;
  readonly #log: Log;
  /** Granted, and not in the journal yet. */
  #granted = 0;
  #loggedAtMs = Number.NEGATIVE_INFINITY;

  constructor(journal: Pick<Source, 'deadLetters'>, lettersMax: number, log: Log) {
    this.#journal = journal;
    this.#lettersMax = lettersMax;
    this.#log = log;
  }

  /** How many of `wanted` orders may become dead letters: 0 to `wanted`. The caller reports them with `filed`. */
  take(wanted: number): number {
    if (wanted === 0) return 0;
    const room = Math.max(0, this.#lettersMax - this.#journal.deadLetters() - this.#granted);
    const granted = Math.min(wanted, room);
    this.#granted += granted;
    if (granted < wanted) this.#report();
    return granted;
  }

  /** This many of the granted letters are in the journal, or will not be filed. */
  filed(letters: number): void {
    this.#granted -= letters;
  }

  #report(): void {
    const nowMs = performance.now();
    if (nowMs - this.#loggedAtMs < LIMIT_LOG_MS) return;
    this.#loggedAtMs = nowMs;
    this.#log(
      'dead-letters-full',
      `${this.#lettersMax} dead letters are kept, the limit set by --dead-max: further failed orders are retried later; fix: replay or drop dead letters with forebay dlq`,
    );
  }
}
