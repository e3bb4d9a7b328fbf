import type { MessagePort } from 'node:worker_threads';
import { StartGate } from '../memory/start-gate.js';
import { COUNTER, type ReasonCount, ReasonCounts, type ThreadCounts } from '../metrics/count.js';
import {
  type Allowance,
  type DrainControl,
  type DrainSetting,
  pausedText,
  settingText,
} from '../model/drain-control.js';
import type { Source } from '../model/journal.js';
import type { Log } from '../model/log.js';
import type { Options } from '../model/options.js';
import { BatchSize } from './batch-size.js';
import { DirectService } from './direct.js';
import { DeadLetterLimit, Drain } from './drain.js';
import { FailureReport } from './failures.js';
import type { HandFile } from './hand-file.js';
import { handlerContext } from './handler-context.js';
import { HandlerPool, PoolThreadIds } from './handler-pool.js';
import { heapFlag, heapFlagText } from './heap-flag.js';
import { Outage } from './outage.js';
import { Pace } from './pace.js';
import { BatchRunner, PAUSE_BOUNDS, pauseText } from './runner.js';
import { Scheduler } from './scheduler.js';

/** How long a stop waits for a handler that loads. */
const LOADING_MS_MAX = 2000;

export interface DrainParts {
  readonly options: Options;
  /** Null in direct mode and with --drain off. */
  readonly source: Source | null;
  readonly counts: ThreadCounts;
  /** File name of the compiled pool thread entry. */
  readonly entry: string;
  /** The file URL of an ES module. */
  readonly handlerUrl: string;
  readonly control: DrainControl;
  readonly allowance: Allowance;
  /** A monotonic clock that all threads share; nanoseconds. */
  readonly nowNs: () => number;
  /** Null in direct mode, and if it cannot be written. */
  readonly hand: HandFile | null;
  readonly log: Log;
}

/** The running drain: the handler pool and everything that feeds it. */
export interface DrainHandle {
  /** Resolves with null, or with one line that says why the handler cannot be loaded or used. */
  readonly loadHandler: () => Promise<string | null>;
  readonly start: () => void;
  /** Processes the frames of an intake thread in direct mode. */
  readonly serveDirect: (port: MessagePort) => void;
  readonly threadIds: PoolThreadIds;
  /** Why orders failed. */
  readonly failureReasons: () => readonly ReasonCount[];
  /** Why orders cannot be processed, in one line; empty if they can. */
  readonly reason: () => string;
  /** Settles the orders that are in the pool and puts the others back. */
  readonly stop: () => Promise<void>;
  readonly destroyPool: () => Promise<void>;
}

export function openDrain(parts: DrainParts): DrainHandle {
  const { options, source, counts } = parts;
  warnOfHeapFlag(parts);
  const gate = new StartGate();
  const pool = openPool(parts, gate);
  const pacer = openPace(parts, gate, pool);
  const size = new BatchSize(options.batchOrdersMax, options.batchMsTarget);
  const threadIds = new PoolThreadIds(options.workers);
  // In direct mode a client waits for each order.
  const outage = new Outage({ canWait: options.mode !== 'direct', log: parts.log });
  // In direct mode no other process can have the orders.
  const termNow = () => source?.term ?? 1;
  const runner = new BatchRunner({
    pool,
    termNow,
    pacer,
    counts,
    outage,
    hand: parts.hand,
    onFinished: (orders, handlerMs) => size.record(orders, handlerMs),
    onThread: (tid) => threadIds.seen(tid),
    log: parts.log,
  });
  const slots = () => parts.allowance.slots;
  const scheduler = new Scheduler(runner, pacer, size, options.workers, termNow, slots);
  const reasons = new ReasonCounts();
  const failures = new FailureReport(reasons, parts.log);
  const drain = source === null ? null : sourceDrain(parts, source, scheduler, failures);
  parts.allowance.onChange(() => {
    gate.extend(parts.allowance.validUntil);
    pacer.allowanceChanged();
    scheduler.allowanceChanged();
  });
  reportSetting(parts);
  const direct = new DirectService(scheduler, counts, failures, options.commitMsMax);
  return {
    loadHandler: async () => {
      const { error, outage: message } = await pool.loadHandler();
      if (message !== null) {
        outage.begin(null, pauseText(message.why), PAUSE_BOUNDS, message.retryAfterMs);
      }
      return error;
    },
    start: () => drain?.start(),
    serveDirect: (port) => direct.serve(port),
    threadIds,
    failureReasons: () => reasons.totals(),
    stop: async () => {
      outage.stop();
      pacer.stop();
      if (drain === null) await scheduler.stop();
      else await drain.stop();
    },
    reason: () => pausedText(parts.control.setting) || outage.reason,
    destroyPool: () => pool.destroy(),
  };
}

function warnOfHeapFlag({ options: { workerHeapMb }, log }: DrainParts): void {
  const found = heapFlag(workerHeapMb, process.execArgv, process.env.NODE_OPTIONS ?? '');
  if (found === null) return;
  const { text, fix } = heapFlagText(workerHeapMb, found);
  log('heap-limit-overridden', `${text}; fix: ${fix}`);
}

function openPool(
  { options, entry, handlerUrl, counts, hand, log }: DrainParts,
  gate: StartGate,
): HandlerPool {
  return new HandlerPool(
    {
      entry,
      threads: options.workers,
      heapMb: options.workerHeapMb,
      callMsMax: options.handlerMsMax,
      loadingMsMax: Math.min(LOADING_MS_MAX, options.shutdownMsMax / 4),
      hand: hand && { fd: hand.fd, slotBytes: hand.slotBytes },
      threadData: { handler: handlerUrl, context: handlerContext(options), startGate: gate.memory },
    },
    {
      onFault: (error) =>
        log('handler-stray-error', 'a pool thread ended outside of a call', { err: error }),
      onStrays: ({ strayErrors, how }) => {
        counts.add(COUNTER.handlerStrayErrors, strayErrors);
        log(
          'handler-stray-error',
          `the handler left an error behind that no running call made: ${how}; no order is blamed`,
          { errors: strayErrors },
        );
      },
    },
  );
}

function sourceDrain(
  { options, counts, log }: DrainParts,
  source: Source,
  scheduler: Scheduler,
  failures: FailureReport,
): Drain {
  const bounds = {
    ...options,
    framesMax: options.lookAheadFrames,
    settleMsMax: options.shutdownMsMax / 2,
  };
  const deadLetterLimit = new DeadLetterLimit(source, options.deadMax, log);
  return new Drain(source, scheduler, counts, bounds, deadLetterLimit, failures, log);
}

/** Every instance logs what operators set, by whichever instance it was set. */
function reportSetting({ control, log }: DrainParts): void {
  control.onChange((now: DrainSetting, before: DrainSetting) => {
    const at = new Date(now.atMs).toISOString();
    const text = `the drain is set by ${now.by}: ${settingText(now)}; before: ${settingText(before)}`;
    log('drain-set', text, { rate: now.rate, paused: now.pause !== null, by: now.by, at });
  });
}

/**
 * Orders are counted in the same turn of the event loop in which they are granted. So two scrapes less than a second apart
 * never differ by more than the drain rate: `forebay wave` judges by that.
 */
function openPace(
  { options, allowance, counts, nowNs }: DrainParts,
  gate: StartGate,
  { started }: HandlerPool,
): Pace {
  gate.extend(allowance.validUntil);
  return new Pace({
    allowance,
    gate,
    startedAt: (call) => started.startedAtNs(call),
    nowNs,
    nowMs: Date.now,
    // In direct mode a client waits for each order.
    canWait: options.mode !== 'direct',
    onTaken: (orders) => counts.add(COUNTER.ordersAdmitted, orders),
  });
}
