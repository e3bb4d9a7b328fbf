import { setTimeout as sleep } from 'node:timers/promises';
import { arrivalsBefore, durationS, expectedArrivals, type Wave } from '../../k6/lib/sine.js';
import type { WaveOptions } from './options.js';
import { type OrderAnswer, OrderClient } from './order-client.js';
import { ServerWatch } from './server-watch.js';
import { judge, Tally, type Verdict } from './verdicts.js';

export interface WaveSummary {
  readonly offered: number;
  readonly dropped: number;
  readonly created: number;
  readonly refused: number;
  readonly busy: number;
  readonly other: number;
  /** Milliseconds from the moment a request was due to its answer. */
  readonly latencyMs: {
    readonly p50: number;
    readonly p99: number;
    readonly p999: number;
    readonly max: number;
  };
  readonly verdicts: readonly Verdict[];
  /** Whether every verdict is good. */
  readonly ok: boolean;
}

export interface WaveListener extends Listener {
  /** Time 0 of the wave. */
  started(): void;
  /** The last answer has arrived; what was accepted may still wait. */
  answeredAll(): void;
}

/**
 * Drives a server through the wave, waits until it has processed what it accepted, and judges.
 *
 * @throws OperatorFault the server's metrics can't be read
 */
export async function driveWave(
  options: WaveOptions,
  listener: WaveListener,
): Promise<WaveSummary> {
  const { wave, adminUrl } = options;
  const watch = adminUrl === null ? null : await ServerWatch.begin(adminUrl);
  const client = new OrderClient(options.url);
  const tally = new Tally();
  try {
    listener.started();
    await generate(wave, () => client.post(), {
      offered: () => {
        tally.offered++;
        listener.offered();
      },
      dropped: () => {
        tally.dropped++;
        listener.dropped();
      },
      answered: (answer, latencyMs) => {
        tally.record(answer, latencyMs);
        listener.answered(answer, latencyMs);
      },
    });
    listener.answeredAll();
    const watched = (await watch?.end(settleMsMax(options))) ?? null;
    return summarize(tally, judge(options, tally, watched));
  } finally {
    client.close();
    watch?.stop();
  }
}

function settleMsMax({ wave, drainRps, settleS }: WaveOptions): number {
  const drainS = drainRps > 0 ? expectedArrivals(wave) / drainRps : 0;
  return (drainS + settleS) * 1000;
}

function summarize(tally: Tally, verdicts: readonly Verdict[]): WaveSummary {
  const { offered, dropped, created, refused, busy, other } = tally;
  const shares = [0.5, 0.99, 0.999, 1];
  const [p50, p99, p999, max] = tally.latenciesMs(shares) as [number, number, number, number];
  return {
    offered,
    dropped,
    created,
    refused,
    busy,
    other,
    latencyMs: { p50, p99, p999, max },
    verdicts,
    ok: verdicts.every((verdict) => verdict.ok),
  };
}

/** Arrivals that may wait for their answer; beyond it they are dropped, and the run is void. */
const OUTSTANDING_MAX = 10_000;

export interface Listener {
  offered(): void;
  dropped(): void;
  /**
   * @param latencyMs since the request was due, so that a generator that lags can't hide a slow
   *   server; since it was sent where the timer fired early, by up to a millisecond
   */
  answered(answer: OrderAnswer, latencyMs: number): void;
}

/**
 * Posts one order at each moment that the wave names, without waiting for earlier answers.
 * Resolves when the last answer has arrived.
 */
async function generate(
  wave: Wave,
  post: () => Promise<OrderAnswer>,
  listener: Listener,
): Promise<void> {
  const startMs = performance.now();
  const outstanding = new Set<Promise<void>>();
  for (const dueS of arrivalTimesS(wave)) {
    const dueMs = startMs + dueS * 1000;
    const aheadMs = dueMs - performance.now();
    if (aheadMs > 0) await sleep(aheadMs);
    listener.offered();
    if (outstanding.size >= OUTSTANDING_MAX) {
      listener.dropped();
      continue;
    }
    const sinceMs = Math.min(dueMs, performance.now());
    const answered = post().then((answer) => {
      listener.answered(answer, performance.now() - sinceMs);
      outstanding.delete(answered);
    });
    outstanding.add(answered);
  }
  await Promise.all(outstanding);
}

/** Halvings of an interval of at most an hour: ends below a nanosecond. */
const BISECTIONS = 45;

/**
 * The moments at which requests are due, in seconds since the start: the n-th when the integral of
 * the rate reaches n. Answers have no say in it (an open model).
 */
export function* arrivalTimesS(wave: Wave): Generator<number, void> {
  const endS = durationS(wave);
  // The integral over the whole wave may end a hair below the whole number that it stands for.
  const total = Math.floor(arrivalsBefore(endS, wave) + 1e-6);
  let lastS = 0;
  for (let n = 1; n <= total; n++) {
    lastS = timeOfArrival(n, lastS, endS, wave);
    yield lastS;
  }
}

function timeOfArrival(n: number, afterS: number, endS: number, wave: Wave): number {
  let low = afterS;
  let high = endS;
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = (low + high) / 2;
    if (arrivalsBefore(middle, wave) < n) low = middle;
    else high = middle;
  }
  return high;
}
