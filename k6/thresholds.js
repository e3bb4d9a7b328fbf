// What a run must show: k6 ends with a code other than 0 when one of these fails.
import { durationS, shareAbove } from './lib/sine.js';
import { WINDOW_MARGIN_S, WINDOWS_PER_SECOND } from './measures.js';

/** How far the share of refusals may be from what the sine says. */
const SHARE_TOLERANCE = 0.02;
/** k6 rounds each ramp's arrivals, so the total may miss the integral by this share. */
const ARRIVALS_TOLERANCE = 0.01;
/** On a busy machine k6 falls behind, and what is then still due at the end it does not send. */
const LATE_S_MAX = 0.25;
/** Intake must be seen to reach this share of the load's peak: rates are measured over 0.9 s. */
const PEAK_SHARE_MIN = 0.9;
/** No wrong answer, nothing that was due and not sent, and each 200 processed. */
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

/** A shop without a queue refuses what the sine says, and never admits more than its limit. */
export function directThresholds({ wave, limitRps }) {
  const share = shareAbove(limitRps, wave);
  const limits = {
    refused: [`rate>=${share - SHARE_TOLERANCE}`, `rate<=${share + SHARE_TOLERANCE}`],
    strays: ['count==0'],
  };
  const lastWindow = (durationS(wave) + WINDOW_MARGIN_S) * WINDOWS_PER_SECOND;
  for (let window = -WINDOW_MARGIN_S * WINDOWS_PER_SECOND; window <= lastWindow; window++) {
    limits[`created_in_second{window:${window}}`] = [`count<=${limitRps}`];
  }
  return limits;
}

/** A queue refuses nobody, is empty in the end, and is drained no faster than it may be. */
export function queueThresholds({ durationS, peakRps, drainRps }) {
  return {
    refused: ['rate==0'],
    backlog_at_end: ['value==0'],
    ...(drainRps > 0 ? { drained_in_window: [`max<=${drainRps}`] } : {}),
    // Against a run that measured nothing, or a load that never came.
    measured_windows: [`count>=${Math.floor(durationS)}`],
    created_per_second: [`max>=${PEAK_SHARE_MIN * peakRps}`],
  };
}

export function latencyBelow(p99MsMax) {
  return { created_latency: [`p(99)<${p99MsMax}`] };
}

/** Each step for itself; the first that breaks a promise ends the run. */
export function stairThresholds({ stairs, p99MsMax }) {
  // Of the first few latencies the highest hundredth is one: a whole step says more.
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
