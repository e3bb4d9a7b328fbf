// Stairs, to find the breaking point: each step is held, and the first with too much latency,
// a refusal, or a request that is not sent ends the run.
//   k6 run k6/step.js                     a server without --drain-rate
import { arrivalsOf, lengthS, peakOf, rampingArrivals, stairPieces } from './lib/ramp.js';
import { openRun } from './run.js';
import { readStep } from './settings.js';
import { everyRun, queueThresholds, stairThresholds } from './thresholds.js';

const settings = readStep(__ENV);
const { stairs, drainRps } = settings;
const { stepRps, steps, holdS } = stairs;
const pieces = stairPieces(stairs);
const length = { durationS: lengthS(pieces), arrivals: arrivalsOf(pieces) };
const peakRps = peakOf(pieces);

const run = openRun(settings, {
  script: 'step',
  what: `${steps} steps of ${stepRps} RPS, each held for ${holdS} s`,
  ...length,
  peakRps,
  arrivalRate: rampingArrivals(pieces),
  tagsAt: (elapsedMs) => ({ step: stepOf(elapsedMs) }),
  thresholds: {
    ...everyRun({ ...length, peakRps }),
    ...queueThresholds({ ...length, drainRps }),
    ...stairThresholds(settings),
  },
});

/** The rate that was due at this moment: the tag of its latencies. */
function stepOf(elapsedMs) {
  const index = Math.min(steps - 1, Math.max(0, Math.floor(elapsedMs / 1000 / holdS)));
  return String(stepRps * (index + 1));
}

export const { options, setup, order, watch, teardown, handleSummary } = run;
