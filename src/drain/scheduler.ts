import { type Batch, cutBatch, soleOrder } from './batch.js';
import type { BatchSize } from './batch-size.js';
import type { FrameRun } from './frame-run.js';
import type { Pacer } from './pace.js';
import type { BatchRunner } from './runner.js';
import type { Grant } from './slot-window.js';

/** Batches per pool thread: one that runs and one queued, so that a thread does not wait for the drain thread in between. */
export const BATCHES_PER_THREAD = 2;

/**
 * About the most bytes of a batch, which a pool thread holds as text and as objects. It matters for orders of more than 8 KB:
 * `--batch-orders-max` is 500 by default.
 */
export const BATCH_BYTES_MAX = 4 * 1024 * 1024;

/** Interval at which the term is checked while the ownership of the frames is uncertain. */
const TERM_POLL_MS = 50;

/**
 * How early orders are announced before they begin: longer than the ledger usually takes. At least as many as the pool takes
 * at once are, and at most four times as many.
 */
const ANNOUNCED_MS = 100;
const ANNOUNCED_POOLS_MAX = 4;

/** How long orders that run alone, and all others, wait for each other at most; milliseconds. */
const TURN_MS = 200;

/**
 * Feeds the orders of the queued frames to the pool: in batches, at the configured rate, a bounded number at a time.
 *
 * An order that may have killed a process (`FrameRun.crashes`) runs while no other order is in progress. It must not
 * make others run again either: when it begins, every frame that was begun is settled. Such orders and all others take
 * turns.
 */
export class Scheduler {
  readonly #runner: BatchRunner;
  readonly #pacer: Pacer;
  readonly #size: BatchSize;
  readonly #threads: number;
  /** See `Source.term`. */
  readonly #termNow: () => number;
  /** The drain rate of this process. */
  readonly #ordersPerS: () => number;
  #term = 0;
  #queue: FrameRun[] = [];
  #suspects: FrameRun[] = [];
  #batches = 0;
  /** Frames that are complete and not settled yet. */
  #settling = 0;
  #isSuspectRunning = false;
  #isSuspectsTurn = true;
  /** When the turn ends, if others wait; unlimited until a suspect has begun in it. */
  #turnEndsMs = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;
  #onStopping: (mayStart: false) => void = () => {};
  readonly #stopping = new Promise<false>((resolve) => {
    this.#onStopping = resolve;
  });
  #onIdle: (() => void) | null = null;

  constructor(
    runner: BatchRunner,
    pacer: Pacer,
    size: BatchSize,
    threads: number,
    termNow: () => number,
    ordersPerS: () => number = () => Number.POSITIVE_INFINITY,
  ) {
    this.#ordersPerS = ordersPerS;
    this.#termNow = termNow;
    this.#runner = runner;
    this.#pacer = pacer;
    this.#size = size;
    this.#threads = threads;
  }

  add(run: FrameRun): void {
    (run.crashes > 0 ? this.#suspects : this.#queue).push(run);
    this.#pump();
  }

  /** The pacer may grant more now, or sooner. */
  allowanceChanged(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#pump();
  }

  settleStarts(): void {
    this.#settling++;
  }

  settleEnds(): void {
    this.#settling--;
    if (this.#suspects.length > 0) this.#pump();
  }

  /** How many orders that are pulled now may begin without being announced. */
  get aheadRoom(): number {
    const aheadMax = this.#aheadMax();
    return Math.max(0, aheadMax - this.#ahead(aheadMax));
  }

  /** Hands out no more orders. When the running batches have finished, resolves with the frames not fully handed out. */
  async stop(): Promise<FrameRun[]> {
    this.#stopped = true;
    this.#onStopping(false);
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#batches > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    return [...this.#queue, ...this.#suspects];
  }

  readonly #pump = (): void => {
    this.#dropExpired();
    while (!this.#stopped && this.#batches < this.#batchesMax() && !this.#isSuspectRunning) {
      if (this.#queue.length + this.#suspects.length === 0) return;
      if (!this.#ownsQueue()) {
        this.#pumpIn(TERM_POLL_MS);
        return;
      }
      this.#announce();
      const isSuspect = this.#isSuspectNext();
      const ready = isSuspect ? 1 : this.#ready();
      if (ready === 0) return;
      const grant = this.#pacer.take(ready);
      if (grant === null) {
        this.#pumpIn(this.#pacer.waitMs(ready));
        return;
      }
      this.#batches++;
      const running = isSuspect
        ? this.#runSuspect(this.#suspects.shift()!, grant)
        : this.#runner.run(cutBatch(this.#queue, grant.orders), grant);
      void running.then(this.#onBatchEnd);
    }
  };

  /**
   * Has other processes told which orders begin next, so early that no batch waits for it. If this process dies, the
   * others run only these alone.
   */
  #announce(): void {
    const aheadMax = this.#aheadMax();
    let ahead = this.#ahead(aheadMax);
    if (ahead >= aheadMax / 2) return;
    for (const run of this.#queue) {
      const more = Math.min(run.uncut - run.announced, aheadMax - ahead);
      if (more > 0) run.announce(more).then(this.#pump, () => {});
      ahead += more;
      if (ahead >= aheadMax) return;
    }
  }

  /** Orders that are announced and have not begun; not counted further than `max`. */
  #ahead(max: number): number {
    let ahead = 0;
    for (const { announced, uncut } of this.#queue) {
      ahead += announced;
      if (announced < uncut || ahead >= max) break;
    }
    return ahead;
  }

  /** Never more than begin within half a second at the drain rate. */
  #aheadMax(): number {
    const pool = this.#threads * BATCHES_PER_THREAD * this.#size.orders;
    const soon = Math.ceil(this.#threads * this.#size.ordersWithin(ANNOUNCED_MS));
    const orders = Math.min(Math.max(pool, soon), ANNOUNCED_POOLS_MAX * pool);
    return Math.max(1, Math.min(orders, Math.ceil(this.#ordersPerS() / 2)));
  }

  /** A batch that is queued behind another would hold its grant meanwhile, and others could not use it. */
  #batchesMax(): number {
    return this.#threads * (this.#pacer.isBinding ? 1 : BATCHES_PER_THREAD);
  }

  /** Whether a suspect is to begin now. */
  #isSuspectNext(): boolean {
    this.#takeTurns();
    return (
      this.#suspects.length > 0 &&
      this.#isSuspectsTurn &&
      !this.#isFrontBegun() &&
      this.#batches + this.#settling === 0
    );
  }

  #takeTurns(): void {
    if (this.#suspects.length === 0 || this.#queue.length === 0) {
      this.#isSuspectsTurn = true;
      this.#turnEndsMs = Number.POSITIVE_INFINITY;
      return;
    }
    const nowMs = performance.now();
    if (nowMs < this.#turnEndsMs) return;
    this.#isSuspectsTurn = !this.#isSuspectsTurn;
    this.#turnEndsMs = this.#isSuspectsTurn ? Number.POSITIVE_INFINITY : nowMs + TURN_MS;
  }

  /** Only the frame at the front can be handed out in part. */
  #isFrontBegun(): boolean {
    return (this.#queue[0]?.cutOrders ?? 0) > 0;
  }

  async #runSuspect(run: FrameRun, grant: Grant): Promise<void> {
    this.#isSuspectRunning = true;
    if (this.#turnEndsMs === Number.POSITIVE_INFINITY) {
      this.#turnEndsMs = performance.now() + TURN_MS;
    }
    const batch: Batch = soleOrder(run);
    const term = this.#term;
    // A stop does not wait for the journal here: it may be away. Meanwhile another process may have taken the frame.
    const starts = run.startsAlone().then(
      () => !this.#stopped && this.#termNow() === term && !run.isLost(),
      () => false,
    );
    if (await Promise.race([starts, this.#stopping])) await this.#runner.run(batch, grant);
    else {
      grant.giveBack();
      run.finishUnrun(batch.slices[0]!);
    }
    this.#isSuspectRunning = false;
  }

  /** All of them if orders are to be refused. The queue is ordered by age, apart from small differences between intake threads, and all frames expire at the same age. */
  #dropExpired(): void {
    const nowMs = this.#pacer.refuses ? Number.POSITIVE_INFINITY : performance.now();
    while (this.#queue.length > 0 && this.#queue[0]!.expiresMs <= nowMs) {
      const run = this.#queue.shift()!;
      run.finishUnrun(run.cut(run.uncut));
    }
  }

  /** Orders that the next batch can take. The pacer is asked for no more than that. */
  #ready(): number {
    const ordersMax = this.#size.orders;
    // Before a suspect, what was begun is completed, and nothing else begins.
    if (this.#suspects.length > 0 && this.#isSuspectsTurn) {
      if (!this.#isFrontBegun()) return 0;
      const front = this.#queue[0]!;
      return Math.min(fitting(front, 0), front.startable, ordersMax);
    }
    let ready = 0;
    let bytes = 0;
    for (let i = 0; i < this.#queue.length && ready < ordersMax && bytes < BATCH_BYTES_MAX; i++) {
      const run = this.#queue[i]!;
      ready += Math.min(fitting(run, bytes), run.startable);
      if (run.startable < run.uncut) break;
      bytes += run.uncutBytes;
    }
    return Math.min(ready, ordersMax);
  }

  /** Whether queued orders may be started. In a new term, frames that other processes have taken are dropped. */
  #ownsQueue(): boolean {
    const term = this.#termNow();
    if (term === this.#term || term === 0) return term !== 0;
    this.#term = term;
    const lost = [...this.#queue, ...this.#suspects].filter((run) => run.isLost());
    if (lost.length > 0) {
      this.#queue = this.#queue.filter((run) => !run.isLost());
      this.#suspects = this.#suspects.filter((run) => !run.isLost());
    }
    for (const run of lost) run.finishUnrun(run.cut(run.uncut));
    return true;
  }

  #pumpIn(waitMs: number): void {
    if (this.#timer !== null) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#pump();
      },
      Math.max(1, Math.ceil(waitMs)),
    );
  }

  readonly #onBatchEnd = (): void => {
    this.#batches--;
    this.#pump();
    if (this.#batches === 0) this.#onIdle?.();
  };
}

/** How many orders of a frame fit into a batch that has `bytes`: the orders of a frame are about as long. The first one fits. */
function fitting({ uncut, uncutBytes }: FrameRun, bytes: number): number {
  const room = BATCH_BYTES_MAX - bytes;
  if (uncutBytes <= room) return uncut;
  return Math.max(bytes === 0 ? 1 : 0, Math.floor((uncut * room) / uncutBytes));
}
