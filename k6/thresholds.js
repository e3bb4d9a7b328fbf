import { durationS, expectedArrivals, rate, shareAbove } from './lib/sine.js';
import { WINDOW_MARGIN_S, WINDOWS_PER_SECOND } from './measures.js';

/** How far the share of refusals may be from what the sine says. */
const SHARE_TOLERANCE = 0.02;
/** k6 rounds each ramp's arrivals, so the total may miss the integral by this share. */
const ARRIVALS_TOLERANCE = 0.01;
/** Intake must be seen to reach this share of the wave's peak: rates are measured over 0.9 s. */
const PEAK_SHARE_MIN = 0.9;

/**
 * What the run must show: k6 ends with a code other than 0 when one of these fails.
 *
 * @param {ReturnType<typeof import('./settings.js').readSettings>} settings
 * @returns {Record<string, string[]>}
 */
export function thresholds(settings) {
  const modes = { direct: directThresholds, queue: queueThresholds };
  return { ...commonThresholds(settings), ...modes[settings.mode](settings) };
}

function commonThresholds({ wave }) {
  const arrivals = expectedArrivals(wave);
  return {
    wrong_answers: ['count==0'],
    dropped_iterations: ['count==0'],
    'iterations{scenario:wave}': [
      `count>=${Math.floor(arrivals * (1 - ARRIVALS_TOLERANCE))}`,
      `count<=${Math.ceil(arrivals * (1 + ARRIVALS_TOLERANCE))}`,
    ],
    created_minus_done: ['count==0'],
  };
}

function directThresholds({ wave, limitRps }) {
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

function queueThresholds({ wave, drainRps }) {
  return {
    refused: ['rate==0'],
    backlog_at_end: ['value==0'],
    drained_in_window: [`max<=${drainRps}`],
    // Against a run that measured nothing, or a wave that never came.
    measured_windows: [`count>=${Math.floor(durationS(wave))}`],
    created_per_second: [`max>=${PEAK_SHARE_MIN * rate(wave.periodS / 4, wave)}`],
  };
}
