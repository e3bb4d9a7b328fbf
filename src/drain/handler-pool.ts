import { setTimeout as sleep } from 'node:timers/promises';
import { Piscina } from 'piscina';
import type { StartedCalls } from '../memory/started-calls.js';
import type { HandlerContext } from '../model/order.js';
import type {
  BatchCall,
  BatchMessage,
  BatchResult,
  LoadResult,
  StrayErrors,
} from '../model/pool-messages.js';
import { CallTimeout } from './call-timeout.js';
import type { HandPlace } from './hand-file.js';
import {
  endedText,
  handlerExecArgv,
  LOAD_MS_MAX,
  LOADED,
  lateText,
  untilLoadIsLate,
} from './handler-thread.js';
import type { Grant } from './slot-window.js';

/** Runs batches in other threads. */
export interface BatchPool {
  /**
   * Rejects if the thread died during the call, or was ended because of its timeout (HandlerTimeout). Then it is unknown
   * which orders the handler has processed. Uses up the grant, or gives it back.
   */
  run(message: BatchMessage, grant: Grant): Promise<BatchResult>;
}

/** What a pool thread is started with. */
export interface PoolThreadData {
  /** Memory of `StartedCalls`. */
  readonly startedCalls: SharedArrayBuffer;
  /** Memory of `StartGate`. */
  readonly startGate: SharedArrayBuffer;
  /** The file URL of an ES module. */
  readonly handler: string;
  readonly context: HandlerContext;
  /** Where calls are written down; null in direct mode, in which nothing outlives the process. */
  readonly hand: HandPlace | null;
}

export interface PoolOptions {
  /** File name of the compiled pool thread entry. */
  readonly entry: string;
  readonly threads: number;
  /** V8 heap limit of each thread, MiB. A handler with a memory leak ends only its own thread. */
  readonly heapMb: number;
  /** Timeout of one call of the handler; 0 for none. */
  readonly callMsMax: number;
  /** How long `destroy` waits for a handler that loads: its top-level `await` may never end. */
  readonly loadingMsMax: number;
  readonly threadData: Pick<PoolThreadData, 'handler' | 'context' | 'startGate'>;
  readonly hand: HandPlace | null;
}

export interface PoolListeners {
  /** A thread ended while it ran no call. */
  readonly onFault: (error: Error) => void;
  /** A thread reports errors of the handler that belong to no running call; the thread goes on. */
  readonly onStrays: (strays: StrayErrors) => void;
}

/** The threads that run the handler: a Piscina pool, which replaces threads that die. */
export class HandlerPool implements BatchPool {
  readonly #pool: Piscina<BatchCall | null, unknown>;
  readonly #timeout: CallTimeout;
  readonly #loadingMsMax: number;
  #isLoaded = false;
  /** The load of the handler that runs, or has ended. */
  #loading: Promise<unknown> = Promise.resolve();

  constructor(options: PoolOptions, { onFault, onStrays }: PoolListeners) {
    this.#loadingMsMax = options.loadingMsMax;
    this.#timeout = new CallTimeout(options.callMsMax, LOAD_MS_MAX, options.threads);
    const execArgv = handlerExecArgv(options.threadData.handler);
    this.#pool = new Piscina({
      filename: options.entry,
      ...(execArgv === undefined ? {} : { execArgv }),
      minThreads: options.threads,
      maxThreads: options.threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      // With Atomics a thread would block between batches, and with it the handler's own sockets.
      atomics: 'disabled',
      resourceLimits: { maxOldGenerationSizeMb: options.heapMb },
      workerData: {
        ...options.threadData,
        startedCalls: this.#timeout.started.memory,
        hand: options.hand,
      } satisfies PoolThreadData,
    });
    this.#pool.on('error', onFault);
    // A handler can post messages of its own to the same port.
    this.#pool.on('message', (message: unknown) => {
      if (isStrayErrors(message)) onStrays(message);
      else if (message === LOADED) this.#isLoaded = true;
    });
  }

  /** Loads the handler in one pool thread and calls its `prepare`. */
  async loadHandler(): Promise<LoadResult> {
    const loading = this.#pool.run(null, { name: 'loadHandler' }) as Promise<LoadResult>;
    const failed = (error: string): LoadResult => ({ error, outage: null });
    const ended = loading.catch((error: Error) => failed(endedText(error)));
    const late = untilLoadIsLate().then(() => failed(lateText(this.#isLoaded ? 'prepare' : null)));
    const loaded = Promise.race([ended, late]);
    this.#loading = loaded;
    return loaded;
  }

  /** Which calls have started. */
  get started(): StartedCalls {
    return this.#timeout.started;
  }

  run(message: BatchMessage, grant: Grant): Promise<BatchResult> {
    const transferList = [message.payload.buffer as ArrayBuffer];
    return this.#timeout.within(async (call, signal) => {
      grant.sent(call);
      let result: BatchResult | null = null;
      try {
        const { epoch } = grant;
        // If the signal is aborted, Piscina ends the call's thread and starts another.
        const running = this.#pool.run({ ...message, call, epoch }, { transferList, signal });
        result = (await running) as BatchResult;
        return result;
      } finally {
        if (result?.notStarted === true || (result?.notLoaded ?? null) !== null) grant.giveBack();
        else grant.ended(this.started.startedAtNs(call));
      }
    });
  }

  /** Ends the threads. The callers of running batches get no result; the journal still has the orders. */
  async destroy(): Promise<void> {
    this.#timeout.close();
    // A thread that is ended while it loads a native module can take the process down.
    await Promise.race([this.#loading, sleep(this.#loadingMsMax, undefined, { ref: false })]);
    await this.#pool.destroy();
  }
}

function isStrayErrors(message: unknown): message is StrayErrors {
  const { strayErrors, how } = (message ?? {}) as Partial<StrayErrors>;
  return typeof strayErrors === 'number' && typeof how === 'string';
}

/**
 * The kernel's thread ids of the pool threads, as reported in their results, with stable names. A thread that replaces a
 * dead one takes over its name, so that the number of metric labels stays bounded.
 */
export class PoolThreadIds {
  readonly #threads: number;
  /** Newest first. */
  readonly #recent: number[] = [];
  readonly #names = new Map<number, number>();

  constructor(threads: number) {
    this.#threads = threads;
  }

  /** A batch came back from thread `tid`; 0 on systems without such ids. */
  seen(tid: number): void {
    if (tid === 0 || this.#recent[0] === tid) return;
    const at = this.#recent.indexOf(tid);
    if (at > 0) this.#recent.splice(at, 1);
    this.#recent.unshift(tid);
    if (at >= 0) return;
    const gone = this.#recent.length > this.#threads ? this.#recent.pop()! : null;
    const name = gone === null ? this.#names.size : this.#names.get(gone)!;
    if (gone !== null) this.#names.delete(gone);
    this.#names.set(tid, name);
  }

  list(): { name: string; tid: number }[] {
    return [...this.#names].map(([tid, index]) => ({ name: `pool-${index}`, tid }));
  }
}
