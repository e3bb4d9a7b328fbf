import { cutBatch } from './batch.js';
import type { BatchSize } from './batch-size.js';
import type { FrameRun } from './frame-run.js';
import type { Pacer } from './pace.js';
import type { BatchRunner } from './runner.js';

/**
 * Batches under way for each pool thread: one that runs and one that waits behind it, so that the
 * thread need not wait for the main thread between two.
 */
const BATCHES_A_THREAD = 2;

/** How often it is looked whether what is in hand is surely this process's own, while it is not. */
const UNSURE_POLL_MS = 50;

/** Feeds the orders of the frames in hand to the pool: in batches, at the set pace, so many at a time. */
export class Scheduler {
  readonly #runner: BatchRunner;
  readonly #pacer: Pacer;
  readonly #size: BatchSize;
  readonly #batchesMax: number;
  /** See `Source.term`. */
  readonly #termNow: () => number;
  #term = 0;
  #queue: FrameRun[] = [];
  #batches = 0;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;
  #onIdle: (() => void) | null = null;

  constructor(
    runner: BatchRunner,
    pacer: Pacer,
    size: BatchSize,
    threads: number,
    termNow: () => number,
  ) {
    this.#termNow = termNow;
    this.#runner = runner;
    this.#pacer = pacer;
    this.#size = size;
    this.#batchesMax = threads * BATCHES_A_THREAD;
  }

  add(run: FrameRun): void {
    this.#queue.push(run);
    this.#pump();
  }

  /** Hands out nothing more. Resolves with the frames not handed out in full, when what was handed out is finished. */
  async stop(): Promise<FrameRun[]> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#batches > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    return this.#queue;
  }

  readonly #pump = (): void => {
    this.#abandonExpired();
    while (!this.#stopped && this.#queue.length > 0 && this.#batches < this.#batchesMax) {
      if (!this.#isSure()) {
        this.#pumpIn(UNSURE_POLL_MS);
        return;
      }
      const orders = this.#pacer.take(this.#ready());
      if (orders === 0) {
        this.#pumpIn(this.#pacer.waitMs());
        return;
      }
      this.#batches++;
      void this.#runner.run(cutBatch(this.#queue, orders)).then(this.#onBatchEnd);
    }
  };

  /** Oldest first is how they stand, but for the little that intake threads differ in; all that can expire may grow as old. */
  #abandonExpired(): void {
    const nowMs = performance.now();
    while (this.#queue.length > 0 && this.#queue[0]!.giveUpMs <= nowMs) {
      const run = this.#queue.shift()!;
      run.finishUnrun(run.cut(run.uncut));
    }
  }

  /** Orders that the next batch could take: no more are asked of the pacer, for it does not take back. */
  #ready(): number {
    const ordersMax = this.#size.orders;
    let ready = 0;
    for (let i = 0; i < this.#queue.length && ready < ordersMax; i++) {
      ready += this.#queue[i]!.uncut;
    }
    return Math.min(ready, ordersMax);
  }

  /** Whether what stands in the queue may be begun. In a new term, what others have taken leaves it. */
  #isSure(): boolean {
    const term = this.#termNow();
    if (term === this.#term || term === 0) return term !== 0;
    this.#term = term;
    const lost = this.#queue.filter((run) => run.isLost());
    if (lost.length > 0) this.#queue = this.#queue.filter((run) => !run.isLost());
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
