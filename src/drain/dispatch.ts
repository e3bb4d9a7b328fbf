import { setTimeout as sleep } from 'node:timers/promises';
import { Piscina } from 'piscina';
import type { HandlerContext } from '../model/order.js';
import type { BatchCall, BatchMessage, BatchResult, LoadResult } from '../model/pool-messages.js';
import { CallLimit } from './call-limit.js';

/** How long a handler may take to load, its own top-level awaits included; milliseconds. */
const LOAD_MS_MAX = 10_000;

/** Runs batches in other threads. */
export interface BatchPool {
  /** Rejects when the thread died over it, or was ended (HandlerLate): nobody knows how far the handler came. */
  run(message: BatchMessage): Promise<BatchResult>;
}

/** What a pool thread is started with. */
export interface PoolThreadData {
  /** Memory of `BegunCalls`. */
  readonly begun: SharedArrayBuffer;
  /** The file URL of an ES module. */
  readonly handler: string;
  readonly context: HandlerContext;
}

export interface PoolOptions {
  /** File name of the compiled pool thread entry. */
  readonly entry: string;
  readonly threads: number;
  /** V8 heap limit of each thread, MiB: a handler that leaks dies alone. */
  readonly heapMb: number;
  /** The longest that one call of the handler may take; milliseconds, 0: any time. */
  readonly callMsMax: number;
  readonly threadData: Omit<PoolThreadData, 'begun'>;
}

/** The worker pool: Piscina, which replaces a thread that dies. */
export class PiscinaPool implements BatchPool {
  readonly #pool: Piscina<BatchCall | null, unknown>;
  readonly #limit: CallLimit;

  /** `onFault` hears of errors that no batch was waiting for, such as a throw from a handler's timer. */
  constructor(options: PoolOptions, onFault: (error: Error) => void) {
    this.#limit = new CallLimit(options.callMsMax, LOAD_MS_MAX, options.threads);
    this.#pool = new Piscina({
      filename: options.entry,
      minThreads: options.threads,
      maxThreads: options.threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      // Atomics would park a thread between batches, and with it the handler's own sockets.
      atomics: 'disabled',
      resourceLimits: { maxOldGenerationSizeMb: options.heapMb },
      workerData: {
        ...options.threadData,
        begun: this.#limit.begun.memory,
      } satisfies PoolThreadData,
    });
    this.#pool.on('error', onFault);
  }

  /** Loads the handler in a pool thread and has it prepare itself. */
  async loadHandler(): Promise<LoadResult> {
    const loading = this.#pool.run(null, { name: 'loadHandler' }) as Promise<LoadResult>;
    const failed = (wrong: string): LoadResult => ({ wrong, away: null });
    const ended = loading.catch((error: Error) => failed(`its thread ended: ${error.message}`));
    const late = failed(`it did not load within ${LOAD_MS_MAX} ms`);
    return Promise.race([ended, sleep(LOAD_MS_MAX, late, { ref: false })]);
  }

  async run(message: BatchMessage): Promise<BatchResult> {
    const transferList = [message.payload.buffer as ArrayBuffer];
    // Piscina ends the thread of a call whose signal is aborted, and starts another.
    return (await this.#limit.within((call, signal) =>
      this.#pool.run({ ...message, call }, { transferList, signal }),
    )) as BatchResult;
  }

  /** Ends the threads. Batches still running are lost to their caller, not to the journal. */
  async destroy(): Promise<void> {
    this.#limit.close();
    await this.#pool.destroy();
  }
}
