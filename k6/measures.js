import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
import { acceptedAtMs } from './lib/order-time.js';

/** A second may begin anywhere: the check is made for seconds that begin every 250 ms. */
export const WINDOWS_PER_SECOND = 4;
const WINDOW_STEP_MS = 1000 / WINDOWS_PER_SECOND;
/** How far the server's clock and the wave's edges may lie outside the planned duration. */
export const WINDOW_MARGIN_S = 10;

const BYTES_PER_MB = 1024 * 1024;
const CREATED = '{"result":"created"}';
const KAPUT = '{"result":"server-kaput"}';

const created = new Counter('created');
const refused = new Rate('refused');
const wrongAnswers = new Counter('wrong_answers');
const orderLatency = new Trend('order_latency', true);
/** Of the answers 200 alone: a refusal is quick, and would make a shop look better than it is. */
const createdLatency = new Trend('created_latency', true);
const createdInSecond = new Counter('created_in_second');
const strays = new Counter('strays');
const createdMinusDone = new Counter('created_minus_done');
const drainedInWindow = new Trend('drained_in_window');
const createdPerSecond = new Trend('created_per_second');
const measuredWindows = new Counter('measured_windows');
const backlogPeak = new Trend('backlog');
const backlogAtEnd = new Gauge('backlog_at_end');
const residentGrowth = new Gauge('resident_growth_mb');

/** One line from each virtual user is enough. */
let hasComplained = false;

/**
 * Counts one answer to a posted order.
 *
 * @param {import('k6/http').RefinedResponse<'text'>} answer
 * @param {boolean} mayRefuse whether a 500 is a right answer here
 * @param {{ startMs: number, durationS: number }} run
 * @param {Record<string, string>} [tags] of its latency
 */
export function recordAnswer(answer, mayRefuse, run, tags) {
  orderLatency.add(answer.timings.duration, tags);
  const isRefused = mayRefuse && answer.status === 500 && answer.body === KAPUT;
  refused.add(isRefused);
  if (isRefused) return;
  const acceptedMs = acceptedAtMs(answer.headers['X-Order-Id']);
  if (answer.status !== 200 || answer.body !== CREATED || Number.isNaN(acceptedMs)) {
    wrongAnswers.add(1);
    if (!hasComplained)
      console.error(`wrong answer: ${answer.status} ${answer.body} ${answer.error}`);
    hasComplained = true;
    return;
  }
  created.add(1);
  createdLatency.add(answer.timings.duration, tags);
  createdMinusDone.add(1);
  if (mayRefuse) recordAccepted(acceptedMs - run.startMs, run.durationS);
}

/** Adds an accepted order to each of the overlapping seconds that it falls into. */
function recordAccepted(sinceStartMs, durationS) {
  if (Math.abs(sinceStartMs - durationS * 500) > (durationS / 2 + WINDOW_MARGIN_S - 1) * 1000) {
    strays.add(1);
    return;
  }
  const last = Math.floor(sinceStartMs / WINDOW_STEP_MS);
  for (let window = last - WINDOWS_PER_SECOND + 1; window <= last; window++) {
    createdInSecond.add(1, { window: String(window) });
  }
}

/**
 * Counts what happened between two looks at the server's counters. Each look happened at some
 * moment between `sentMs` and `receivedMs`, so no more than `spanMs` lies between the two.
 *
 * @param {Poll} first
 * @param {Poll} last
 * @typedef {{ sentMs: number, receivedMs: number, doneOrders: number, created: number }} Poll
 */
export function recordWindow(first, last) {
  const betweenMs = (last.sentMs + last.receivedMs - first.sentMs - first.receivedMs) / 2;
  measuredWindows.add(1);
  drainedInWindow.add(last.doneOrders - first.doneOrders);
  createdPerSecond.add(((last.created - first.created) * 1000) / betweenMs);
}

/** @param {number} orders */
export function recordBacklog(orders) {
  backlogPeak.add(orders);
}

/**
 * How much more memory the server holds in the last fifth of the run than in the second: the first
 * one is for what it allocates once. The middle of each counts, so that garbage that is not yet
 * collected does not.
 *
 * @param {readonly number[]} residentBytes evenly spread over the run
 */
export function recordGrowth(residentBytes) {
  const fifth = Math.floor(residentBytes.length / 5);
  const early = middle(residentBytes.slice(fifth, 2 * fifth));
  const late = middle(residentBytes.slice(residentBytes.length - fifth));
  residentGrowth.add((late - early) / BYTES_PER_MB);
}

function middle(values) {
  return values.slice().sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/**
 * What the server says when all is over. `created_minus_done` has gained one for each 200 that the
 * virtual users saw; taking away what was processed must bring it to zero.
 *
 * @param {number} doneOrders processed since the start
 * @param {number} pendingOrders NaN counts as a backlog: nobody could look
 */
export function recordEnd(doneOrders, pendingOrders) {
  createdMinusDone.add(-doneOrders);
  backlogAtEnd.add(Number.isNaN(pendingOrders) ? 1 : pendingOrders);
}
