import type { MessagePort } from 'node:worker_threads';
import type { ThreadCounts } from '../metrics/count.js';
import type { Source } from '../model/journal.js';
import type { Log } from '../model/log.js';
import type { Options } from '../model/options.js';
import type { Limiter } from '../model/stages.js';
import { BatchSize } from './batch-size.js';
import { DeadBound } from './dead-bound.js';
import { DirectService } from './direct.js';
import { PiscinaPool } from './dispatch.js';
import { Drain } from './drain.js';
import { handlerContext } from './handler-context.js';
import { Outage } from './outage.js';
import { type Pacer, SteadyPacer, smoothing, unpaced } from './pace.js';
import { PoolThreadIds } from './pool-thread-ids.js';
import { awayText, BatchRunner, SINK_PAUSE } from './runner.js';
import { Scheduler } from './scheduler.js';

export interface DrainParts {
  readonly options: Options;
  /** Null in direct mode, and when the drain is off. */
  readonly source: Source | null;
  readonly counts: ThreadCounts;
  /** File name of the compiled pool thread entry. */
  readonly entry: string;
  /** The file URL of an ES module. */
  readonly handlerUrl: string;
  /** Makes an exact limiter: at most `limit` in any window of `windowMs`. */
  readonly limiter: (limit: number, windowMs: number) => Limiter;
  readonly log: Log;
}

/** The processing side as a whole: the pool, and what feeds it. */
export interface OpenDrain {
  /** Null, or in one line why the handler cannot be loaded or is set up wrongly. */
  readonly loadHandler: () => Promise<string | null>;
  readonly start: () => void;
  /** Serves an intake thread of direct mode. */
  readonly serveDirect: (port: MessagePort) => void;
  readonly threadIds: PoolThreadIds;
  /** Why nothing can be processed, in one line; empty while it can. */
  readonly reason: () => string;
  /** Settles what is in the pool and puts back what is not. */
  readonly stop: () => Promise<void>;
  readonly destroyPool: () => Promise<void>;
}

export function openDrain(parts: DrainParts): OpenDrain {
  const { options, source, counts } = parts;
  const pool = new PiscinaPool(
    {
      entry: parts.entry,
      threads: options.workers,
      heapMb: options.workerHeapMb,
      callMsMax: options.handlerMsMax,
      threadData: {
        handler: parts.handlerUrl,
        context: handlerContext(options),
      },
    },
    (error) =>
      parts.log('handler-stray-error', 'an error in a pool thread that no batch was waiting for', {
        err: error,
      }),
  );
  const pacer = pacerOf(options.drainRate, parts.limiter);
  const size = new BatchSize(options.batchOrdersMax, options.batchMsTarget);
  const threadIds = new PoolThreadIds(options.workers);
  // In direct mode there is a client behind each order who waits for it.
  const outage = new Outage({ canWait: options.mode !== 'direct', log: parts.log });
  const runner = new BatchRunner({
    pool,
    pacer,
    counts,
    outage,
    onFinished: (orders, handlerMs) => size.learn(orders, handlerMs),
    onThread: (tid) => threadIds.seen(tid),
    log: parts.log,
  });
  const scheduler = new Scheduler(
    runner,
    pacer,
    size,
    options.workers,
    // In direct mode clients wait for what is in hand, and nobody else has it.
    () => source?.term ?? 1,
  );
  const drain =
    source === null
      ? null
      : new Drain(
          source,
          scheduler,
          counts,
          {
            ...options,
            framesMax: options.lookAheadFrames,
            settleMsMax: options.shutdownMsMax / 2,
          },
          new DeadBound(source, options.deadMax, parts.log),
        );
  const direct = new DirectService(scheduler, counts, options.commitMsMax);
  return {
    loadHandler: async () => {
      const { wrong, away } = await pool.loadHandler();
      if (away !== null) outage.away(null, awayText(away), SINK_PAUSE);
      return wrong;
    },
    start: () => drain?.start(),
    serveDirect: (port) => direct.serve(port),
    threadIds,
    stop: async () => {
      outage.stop();
      if (drain === null) await scheduler.stop();
      else await drain.stop();
    },
    reason: () => outage.reason,
    destroyPool: () => pool.destroy(),
  };
}

function pacerOf(rate: number, limiter: DrainParts['limiter']): Pacer {
  if (rate === 0) return unpaced;
  const { limit, windowMs } = smoothing(rate);
  return new SteadyPacer(limiter(rate, 1000), limiter(limit, windowMs));
}
