import { setTimeout as sleep } from 'node:timers/promises';
import { acceptedAtMs } from '../../k6/lib/order-time.js';
import { arrivalsBefore, durationS } from '../../k6/lib/sine.js';
import { type Answer, answers } from '../../src/model/answers.js';
import type { Wave, WaveOptions } from './options.js';
import { type OrderAnswer, OrderClient } from './order-client.js';

/** Halvings of an interval of at most an hour: ends below a nanosecond. */
const BISECTIONS = 45;
/** Requests that may wait for their answer; beyond it they are dropped, and the run is void. */
const OUTSTANDING_MAX = 10_000;

/** What an answer is to a run; anything but these three exact answers is `other`. */
export type Outcome = 'created' | 'refused' | 'busy' | 'other';

/** One order that was posted. Times are milliseconds since time 0 of the wave. */
export interface Exchange {
  readonly sentMs: number;
  readonly answeredMs: number;
  readonly outcome: Outcome;
  /** See `LoadGenerator.latencyMeans`. */
  readonly latencyMs: number;
  /** What an answer says that is `other`. */
  readonly why?: string;
}

/** What a load generator did. */
export interface Driven {
  /** Epoch milliseconds of time 0 of the wave. */
  readonly startMs: number;
  /** Requests that were due. */
  readonly offered: number;
  /** Those of them that were not sent: any of them makes the run void. */
  readonly dropped: number;
  readonly exchanges: readonly Exchange[];
}

export interface DriveListener {
  offered(): void;
  answered(exchange: Exchange): void;
}

/**
 * Posts one order at each moment that the wave names, without waiting for earlier answers. Resolves when the last answer
 * has arrived. Latency is counted from the moment a request was due, so that a generator that lags cannot hide a slow server.
 */
export async function driveWave(
  target: Pick<WaveOptions, 'url' | 'path' | 'body' | 'wave'>,
  listener?: DriveListener,
): Promise<Driven> {
  const { wave } = target;
  const client = new OrderClient(target);
  const startMs = Date.now();
  const zeroMs = performance.now();
  const outstanding = new Set<Promise<void>>();
  const exchanges: Exchange[] = [];
  let [offered, dropped] = [0, 0];
  for (const dueS of arrivalTimesS(wave)) {
    const dueMs = dueS * 1000;
    const aheadMs = zeroMs + dueMs - performance.now();
    if (aheadMs > 0) await sleep(aheadMs);
    offered++;
    listener?.offered();
    if (outstanding.size >= OUTSTANDING_MAX) {
      dropped++;
      continue;
    }
    const sentMs = performance.now() - zeroMs;
    const answered = client.post().then((answer) => {
      const answeredMs = performance.now() - zeroMs;
      // The timer may have fired up to a millisecond before the request was due.
      const latencyMs = answeredMs - Math.min(dueMs, sentMs);
      const outcome = outcomeOf(answer);
      const why = outcome === 'other' ? { why: textOf(answer) } : {};
      const exchange = { sentMs, answeredMs, outcome, latencyMs, ...why };
      exchanges.push(exchange);
      listener?.answered(exchange);
      outstanding.delete(answered);
    });
    outstanding.add(answered);
  }
  await Promise.all(outstanding);
  client.close();
  return { startMs, offered, dropped, exchanges };
}

function outcomeOf(answer: OrderAnswer): Outcome {
  const is = (expected: Answer) =>
    answer.status === expected.status && answer.body === expected.body;
  if (is(answers.created) && !Number.isNaN(acceptedAtMs(answer.orderId))) return 'created';
  if (is(answers.serverKaput)) return 'refused';
  return is(answers.busy) ? 'busy' : 'other';
}

/** Longest text of an answer that is passed on. */
const TEXT_CHARS_MAX = 200;

function textOf({ status, body, fault }: OrderAnswer): string {
  if (status === 0) return 'no answer';
  const invalid = fault === '' ? '' : ` x-invalid: ${fault}`;
  return `${status} ${body.slice(0, TEXT_CHARS_MAX).replace(/[^ -~]/g, '?')}${invalid}`;
}

/**
 * The moments at which requests are due, in seconds since the start: the n-th when the integral of the rate reaches n.
 * Answers do not influence them (an open model).
 */
export function* arrivalTimesS(wave: Wave): Generator<number, void> {
  const endS = durationS(wave);
  // The integral over the whole wave may end just below the whole number that it stands for.
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
