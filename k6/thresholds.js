// What a run must show: k6 ends with a code other than 0 when one of these fails.
import { durationS, shareAbove } from './lib/sine.js';
import { WINDOW_MARGIN_S, WINDOWS_PER_SECOND } from './measures.js';

/**
 * How far the share of refusals may be from the sine's. It only shows that the load was the wave: when the machine
 * stalls, room of the limiter goes unused and more is refused. The limit itself is judged without a tolerance.
 */
const SHARE_TOLERANCE = 0.15;
/** k6 rounds each ramp's arrivals, so the total may miss the integral by this share. */
const ARRIVALS_TOLERANCE = 0.01;
/** On a busy machine k6 falls behind, and does not send what is still due at the end. */
const LATE_S_MAX = 0.25;

/** No wrong answer, no request that was due and not sent, and each 200 processed. */
export function everyRun({ arrivals, peakRps }) {
  const least = arrivals - Math.max(arrivals * ARRIVALS_TOLERANCE, peakRps * LATE_S_MAX);
  return {
    wrong_answers: ['count==0'],
    dropped_iterations: ['count==0'],
    'iterations{scenario:orders}': [
      `count>=${Math.floor(least)}`,
      `count<=${Math.ceil(arrivals * (1 + ARRIVALS_TOLERANCE))}`,
    ],
    created_minus_done: ['count==0'],
  };
}

/** Without a queue, the server refuses about what the sine says, and never admits more than its limit. */
export function directThresholds({ wave, limitRps }) {
  const share = shareAbove(limitRps, wave);
  const limits = {
    refused: [`rate>=${share - SHARE_TOLERANCE}`, `rate<=${share + SHARE_TOLERANCE}`],
  };
  const lastWindow = (durationS(wave) + WINDOW_MARGIN_S) * WINDOWS_PER_SECOND;
  for (let window = -WINDOW_MARGIN_S * WINDOWS_PER_SECOND; window <= lastWindow; window++) {
    limits[`created_in_second{window:${window}}`] = [`count<=${limitRps}`];
  }
  return limits;
}

/** With a queue, no order is refused, none is pending at the end, and the drain rate is kept. */
export function queueThresholds({ durationS, drainRps }) {
  return {
    refused: ['rate==0'],
    backlog_at_end: ['value==0'],
    ...(drainRps > 0 ? { processed_per_second: [`value<=${drainRps}`, 'value>0'] } : {}),
    // Against a run that measured nothing.
    server_readings: [`count>=${Math.floor(durationS)}`],
  };
}

export function latencyBelow(p99MsMax) {
  return { created_latency: [`p(99)<${p99MsMax}`] };
}

/** For each step; the first threshold that fails ends the run. */
export function stairThresholds({ stairs, p99MsMax }) {
  // Of the first few latencies, p99 is the longest: it takes a whole step to be meaningful.
  const delayAbortEval = `${stairs.holdS}s`;
  const ending = (threshold) => ({ threshold, abortOnFail: true, delayAbortEval });
  const limits = {
    dropped_iterations: [ending('count==0')],
    wrong_answers: [ending('count==0')],
  };
  for (let step = 1; step <= stairs.steps; step++) {
    limits[`created_latency{step:${step * stairs.stepRps}}`] = [ending(`p(99)<${p99MsMax}`)];
  }
  return limits;
}
