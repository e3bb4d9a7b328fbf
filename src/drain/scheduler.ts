import { cutBatch } from './batch.js';
import type { BatchSize } from './batch-size.js';
import type { FrameRun } from './frame-run.js';
import type { Pacer } from './pace.js';
import type { BatchRunner } from './runner.js';

/** Batches per pool thread: one that runs and one queued, so that a thread does not wait for the main thread in between. */
const BATCHES_PER_THREAD = 2;

/** Interval at which the term is checked while the ownership of the frames is uncertain. */
const TERM_POLL_MS = 50;

/** Feeds the orders of the queued frames to the pool: in batches, at the configured rate, a bounded number at a time. */
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
    this.#batchesMax = threads * BATCHES_PER_THREAD;
  }

  add(run: FrameRun): void {
    this.#queue.push(run);
    this.#pump();
  }

  /** Hands out no more orders. When the running batches have finished, resolves with the frames not fully handed out. */
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
    this.#dropExpired();
    while (!this.#stopped && this.#queue.length > 0 && this.#batches < this.#batchesMax) {
      if (!this.#ownsQueue()) {
        this.#pumpIn(TERM_POLL_MS);
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

  /** The queue is ordered by age, apart from small differences between intake threads, and all frames expire at the same age. */
  #dropExpired(): void {
    const nowMs = performance.now();
    while (this.#queue.length > 0 && this.#queue[0]!.expiresMs <= nowMs) {
      const run = this.#queue.shift()!;
      run.finishUnrun(run.cut(run.uncut));
    }
  }

  /** Orders that the next batch can take. The pacer is asked for no more than that, because it cannot take orders back. */
  #ready(): number {
    const ordersMax = this.#size.orders;
    let ready = 0;
    for (let i = 0; i < this.#queue.length && ready < ordersMax; i++) {
      ready += this.#queue[i]!.uncut;
    }
    return Math.min(ready, ordersMax);
  }

  /** Whether queued orders may be started. In a new term, frames that other processes have taken are dropped. */
  #ownsQueue(): boolean {
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
