import { randomUUID } from 'node:crypto';
import { hostname, totalmem } from 'node:os';
import { STATUSES } from '../model/answers.js';
import type { Durability } from '../model/durability.js';
import type { JournalName } from '../model/journal.js';
import type { LiveFacts, LiveNow, LiveRow, LiveSource } from '../model/live.js';
import type { LoggedEvent } from '../model/log.js';
import type { Options } from '../model/options.js';
import type { Storage } from '../model/storage.js';
import { commitHistogram, responseCounter, TotalCounts } from './count.js';
import { COUNTER, GAUGE, HISTOGRAM, histogramCells } from './layout.js';
import type { LiveGauges } from './names.js';
import type { NamedValue, ThreadLoad } from './thread-load.js';

export interface SnapshotSources {
  readonly options: Options;
  /** Memory made by `createCounts`. */
  readonly counts: SharedArrayBuffer;
  readonly live: Pick<
    LiveGauges,
    | 'rps'
    | 'pendingOrders'
    | 'oldestAgeSeconds'
    | 'deadLetters'
    | 'deadLettersMax'
    | 'drainRate'
    | 'drainPaused'
  >;
  readonly storage: () => Storage | null;
  readonly scheduledGoneAtMs: () => number | null;
  readonly events: () => readonly LoggedEvent[];
  readonly durability: () => Durability;
  /** Not shared with /metrics: a load is measured since the last reading. */
  readonly threadLoad: ThreadLoad;
  readonly threads: readonly string[];
  readonly build: LiveFacts['build'] & { readonly journal: JournalName };
  readonly reasons: () => readonly string[];
  readonly degraded: () => readonly string[];
}

/** 15 minutes. */
const HISTORY_S = 900;

/** The monotonic values at one moment. A row is the difference of two. */
interface Counted {
  readonly answers: readonly number[];
  readonly accepted: number;
  readonly done: number;
  readonly failed: number;
  readonly framedOrders: number;
  readonly requestSeconds: readonly number[];
  readonly commitSeconds: readonly number[];
  readonly handlerSeconds: readonly number[];
  readonly orderAgeSeconds: readonly number[];
  readonly frameOrders: readonly number[];
}

/** Takes snapshots of the values that /metrics shows, from the same cells and gauges. Runs in the main thread. */
export class LiveSnapshots implements LiveSource {
  readonly facts: LiveFacts;
  readonly #sources: SnapshotSources;
  readonly #totals: TotalCounts;
  readonly #commits: number;
  #before: Counted;
  #beforeMs = performance.now();

  constructor(sources: SnapshotSources) {
    const { options, threads, build } = sources;
    this.#sources = sources;
    this.#totals = new TotalCounts(sources.counts);
    this.#commits = commitHistogram(build.journal);
    this.#before = this.#count();
    this.facts = {
      boot: randomUUID(),
      build,
      host: hostname(),
      startedAtMs: Math.round(performance.timeOrigin),
      countedFromMs: Date.now(),
      rpsLimit: options.rpsLimit,
      drains: options.drain,
      spools: options.nats.length > 0 && options.spoolOrdersMax > 0,
      memoryBytesMax: memoryBytesMax(),
      historyS: HISTORY_S,
      statuses: STATUSES,
      threads,
      bounds: {
        requestSeconds: histogramCells[HISTOGRAM.requestSeconds].bounds,
        commitSeconds: histogramCells[this.#commits].bounds,
        handlerSeconds: histogramCells[HISTOGRAM.handlerSeconds].bounds,
        orderAgeSeconds: histogramCells[HISTOGRAM.orderAgeSeconds].bounds,
        frameOrders: histogramCells[HISTOGRAM.frameOrders].bounds,
      },
    };
  }

  take(): { row: LiveRow; now: LiveNow } {
    const before = this.#before;
    const counted = this.#count();
    const nowMs = performance.now();
    const spanMs = Math.round(nowMs - this.#beforeMs);
    this.#before = counted;
    this.#beforeMs = nowMs;
    const now = this.#now(counted);
    const { threads, threadLoad, live } = this.#sources;
    const row: LiveRow = {
      atMs: Date.now(),
      spanMs,
      rps: now.rps,
      answers: difference(counted.answers, before.answers),
      accepted: counted.accepted - before.accepted,
      done: counted.done - before.done,
      failed: counted.failed - before.failed,
      drainRate: live.drainRate(),
      isPaused: live.drainPaused() === 1,
      framedOrders: counted.framedOrders - before.framedOrders,
      pendingOrders: now.pendingOrders,
      oldestAgeSeconds: now.oldestAgeSeconds,
      spoolOrders: now.spoolOrders,
      requestSeconds: difference(counted.requestSeconds, before.requestSeconds),
      commitSeconds: difference(counted.commitSeconds, before.commitSeconds),
      handlerSeconds: difference(counted.handlerSeconds, before.handlerSeconds),
      orderAgeSeconds: difference(counted.orderAgeSeconds, before.orderAgeSeconds),
      frameOrders: difference(counted.frameOrders, before.frameOrders),
      cpuPercent: inOrder(threads, threadLoad.cpuRatios(), (ratio) => Math.round(ratio * 100)),
      lagMs: inOrder(threads, threadLoad.eventLoopLags(), (s) => Math.round(s * 10_000) / 10),
    };
    return { row, now };
  }

  events(): readonly LoggedEvent[] {
    return this.#sources.events();
  }

  #count(): Counted {
    const totals = this.#totals;
    return {
      answers: STATUSES.map((status) => totals.get(responseCounter(status))),
      accepted: totals.get(COUNTER.ordersAccepted),
      done: totals.get(COUNTER.workDone),
      failed: totals.get(COUNTER.workError),
      framedOrders: totals.sum(HISTOGRAM.frameOrders),
      requestSeconds: totals.buckets(HISTOGRAM.requestSeconds),
      commitSeconds: totals.buckets(this.#commits),
      handlerSeconds: totals.buckets(HISTOGRAM.handlerSeconds),
      orderAgeSeconds: totals.buckets(HISTOGRAM.orderAgeSeconds),
      frameOrders: totals.buckets(HISTOGRAM.frameOrders),
    };
  }

  #now({ answers, done, failed }: Counted): LiveNow {
    const { live, storage, scheduledGoneAtMs, durability, reasons, degraded } = this.#sources;
    const totals = this.#totals;
    return {
      answers,
      done,
      failed,
      frames: totals.get(COUNTER.framesCommitted),
      aborted: totals.get(COUNTER.abortedRequests),
      retries: totals.get(COUNTER.retries),
      dead: totals.get(COUNTER.dead),
      deadLetters: live.deadLetters(),
      deadLettersMax: live.deadLettersMax(),
      waitingOrders: totals.get(GAUGE.waitingOrders),
      pendingOrders: live.pendingOrders(),
      scheduledGoneAtMs: scheduledGoneAtMs(),
      oldestAgeSeconds: Math.round(live.oldestAgeSeconds() * 1000) / 1000,
      spoolOrders: totals.get(GAUGE.spoolOrders),
      spooled: totals.get(COUNTER.ordersSpooled),
      forwarded: totals.get(COUNTER.ordersForwarded),
      rps: live.rps(),
      memoryBytes: process.memoryUsage.rss(),
      storage: storage(),
      durability: durability(),
      reasons: reasons(),
      degraded: degraded(),
    };
  }
}

/** Node gives 0 without a limit, or a number beyond all memory. */
function memoryBytesMax(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

function difference(after: readonly number[], before: readonly number[]): number[] {
  return after.map((value, i) => value - before[i]);
}

function inOrder(
  names: readonly string[],
  values: readonly NamedValue[],
  rounded: (value: number) => number,
): (number | null)[] {
  const byName = new Map(values.map(({ name, value }) => [name, rounded(value)]));
  return names.map((name) => byName.get(name) ?? null);
}
