import { setTimeout as sleep } from 'node:timers/promises';
import { type BatchResult, OUTCOME_RETRY } from '../contract/batch.js';
import { COUNTER, HISTOGRAM, type ThreadCounts } from '../metrics/count.js';
import { type Batch, batchMessage, splitBatch } from './batch.js';
import type { BatchPool } from './dispatch.js';
import type { Pacer } from './pace.js';

/** Between two tries to load a handler that worked before, say while its database is away; milliseconds. */
const LOAD_RETRY_MS = 1000;

const RETRY_ALONE = new Uint8Array([OUTCOME_RETRY]);

export interface RunnerParts {
  readonly pool: BatchPool;
  readonly pacer: Pacer;
  readonly counts: ThreadCounts;
  /** Learns of each batch that the handler finished. */
  readonly onFinished: (orders: number, handlerMs: number) => void;
  /** One line for the operator. */
  readonly log: (line: string) => void;
  /** Learns which thread of the pool is alive. */
  readonly onThread: (tid: number) => void;
}

/**
 * Runs a batch in the pool and records the outcome of each order. A batch whose handler throws, or
 * kills its thread, is run again in halves until the culprit stands alone, so that one bad order does
 * not fail its neighbours: at most 2·log2(n) further calls for each culprit among n orders.
 */
export class BatchRunner {
  readonly #parts: RunnerParts;
  #notLoaded = '';
  #stopping = false;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
  }

  /** Why the pool cannot run the handler, in one line; empty while it can. */
  get reason(): string {
    return this.#notLoaded;
  }

  /** Gives back, unrun, what waits for the handler to load. */
  stop(): void {
    this.#stopping = true;
  }

  /** Resolves when each order of the batch has an outcome; never rejects. */
  async run(batch: Batch): Promise<void> {
    const failure = await this.#tryOnce(batch);
    if (failure === null) return;
    if (batch.orders === 1) {
      const slice = batch.slices[0]!;
      slice.run.finish(slice, RETRY_ALONE, failure);
      return;
    }
    for (const half of splitBatch(batch)) {
      await this.#admit(half.orders);
      await this.run(half);
    }
  }

  /** Null, or why the batch as a whole came to nothing. */
  async #tryOnce(batch: Batch): Promise<string | null> {
    const { pool, counts, onFinished, onThread, log } = this.#parts;
    let result: BatchResult;
    try {
      result = await pool.run(batchMessage(batch));
    } catch (error) {
      counts.add(COUNTER.handlerThreadDeaths);
      const reason = `the handler's thread died: ${(error as Error).message}`;
      log(`${reason}; running its ${batch.orders} orders again`);
      return reason;
    }
    if (result.notLoaded !== null) return this.#waitForHandler(batch, result.notLoaded);
    this.#notLoaded = '';
    onThread(result.tid);
    counts.observe(HISTOGRAM.handlerSeconds, result.handlerMs / 1000);
    if (result.thrown !== null) return result.thrown;
    onFinished(batch.orders, result.handlerMs);
    this.#record(batch, result.outcomes);
    return null;
  }

  /** Nothing was run, so nothing counts as an attempt: the same batch again, until the handler is back. */
  async #waitForHandler(batch: Batch, why: string): Promise<string | null> {
    if (this.#notLoaded === '') this.#parts.log(`the handler cannot be loaded: ${why}; trying on`);
    this.#notLoaded = `the handler cannot be loaded: ${why}`;
    if (!this.#stopping) await sleep(LOAD_RETRY_MS);
    if (!this.#stopping) return this.#tryOnce(batch);
    for (const slice of batch.slices) slice.run.finishUnrun(slice);
    return null;
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
