import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
import { acceptedAtMs } from './lib/order-time.js';

/** Thresholds cover the seconds that begin every 250 ms. */
export const WINDOWS_PER_SECOND = 4;
const WINDOW_STEP_MS = 1000 / WINDOWS_PER_SECOND;
/** How late the last request may be answered. */
export const WINDOW_MARGIN_S = 10;
/** Times in k6 are whole milliseconds, rounded down. */
const CLOCK_MS = 1;

const BYTES_PER_MB = 1024 * 1024;
const CREATED = '{"result":"created"}';
const KAPUT = '{"result":"server-kaput"}';

const created = new Counter('created');
const refused = new Rate('refused');
const wrongAnswers = new Counter('wrong_answers');
const orderLatency = new Trend('order_latency', true);
/** Of the 200s alone: refusals are quick, and would hide slow 200s. */
const createdLatency = new Trend('created_latency', true);
const createdInSecond = new Counter('created_in_second');
const createdMinusDone = new Counter('created_minus_done');
const processedPerSecond = new Gauge('processed_per_second');
const serverReadings = new Counter('server_readings');
const backlogPeak = new Trend('backlog');
const backlogAtEnd = new Gauge('backlog_at_end');
const residentGrowth = new Gauge('resident_growth_mb');

/** One line from each virtual user is enough. */
let hasReported = false;

/**
 * Counts one answer to a posted order.
 *
 * @param {import('k6/http').RefinedResponse<'text'>} answer
 * @param {{ sentMs: number, answeredMs: number }} times epoch milliseconds
 * @param {boolean} mayRefuse whether a 500 is a right answer here
 * @param {{ startMs: number }} run
 * @param {Record<string, string>} [tags] of its latency
 */
export function recordAnswer(answer, times, mayRefuse, run, tags) {
  orderLatency.add(answer.timings.duration, tags);
  const isRefused = mayRefuse && answer.status === 500 && answer.body === KAPUT;
  refused.add(isRefused);
  if (isRefused) return;
  const acceptedMs = acceptedAtMs(answer.headers['X-Order-Id']);
  if (answer.status !== 200 || answer.body !== CREATED || Number.isNaN(acceptedMs)) {
    wrongAnswers.add(1);
    if (!hasReported)
      console.error(`wrong answer: ${answer.status} ${answer.body} ${answer.error}`);
    hasReported = true;
    return;
  }
  created.add(1);
  createdLatency.add(answer.timings.duration, tags);
  createdMinusDone.add(1);
  if (mayRefuse) recordCreated(times.sentMs - run.startMs, times.answeredMs - run.startMs);
}

/**
 * Adds a 200 to each of the overlapping seconds in which it was both sent and answered: only in those was it admitted
 * for certain, so an exact limiter keeps each of them at or below its limit.
 */
function recordCreated(sentMs, answeredMs) {
  const first = Math.floor((answeredMs + CLOCK_MS - 1000) / WINDOW_STEP_MS) + 1;
  const last = Math.floor(sentMs / WINDOW_STEP_MS);
  for (let window = first; window <= last; window++) {
    createdInSecond.add(1, { window: String(window) });
  }
}

export function recordReading() {
  serverReadings.add(1);
}

/** @param {number} perSecond the highest rate of orders admitted to the handler that the readings prove */
export function recordPeak(perSecond) {
  processedPerSecond.add(perSecond);
}

/** @param {number} orders */
export function recordBacklog(orders) {
  backlogPeak.add(orders);
}

/**
 * How much more memory the server holds in the last fifth of the run than in the second fifth: in the first one it
 * allocates what it keeps. The median of each counts, because of garbage that is not collected yet.
 *
 * @param {readonly number[]} residentBytes evenly spread over the run
 */
export function recordGrowth(residentBytes) {
  const fifth = Math.floor(residentBytes.length / 5);
  const early = median(residentBytes.slice(fifth, 2 * fifth));
  const late = median(residentBytes.slice(residentBytes.length - fifth));
  residentGrowth.add((late - early) / BYTES_PER_MB);
}

function median(values) {
  return values.slice().sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/**
 * What the server counts at the end. `created_minus_done` has gained 1 for each 200 that the virtual users saw; without
 * the orders that were processed it must be 0.
 *
 * @param {number} doneOrders processed since the start
 * @param {number} pendingOrders NaN, where it could not be read, counts as a backlog
 */
export function recordEnd(doneOrders, pendingOrders) {
  createdMinusDone.add(-doneOrders);
  backlogAtEnd.add(Number.isNaN(pendingOrders) ? 1 : pendingOrders);
}
