// A steady load for a long time: nothing is refused, latency stays low, the backlog does not build
// up, and the server does not grow.
//   k6 run k6/soak.js                     a server with --drain-rate 60
import { rampingArrivals } from './lib/ramp.js';
import { openRun } from './run.js';
import { readSoak } from './settings.js';
import { everyRun, latencyBelow, queueThresholds } from './thresholds.js';

/** The drain keeps up, so the backlog is at most what arrived in this time. */
const BACKLOG_S_MAX = 5;

const settings = readSoak(__ENV);
const { rateRps, durationS, drainRps, p99MsMax, growthMbMax } = settings;
const length = { durationS, arrivals: rateRps * durationS };

const run = openRun(settings, {
  script: 'soak',
  what: `${rateRps} RPS for ${durationS} s`,
  ...length,
  peakRps: rateRps,
  arrivalRate: rampingArrivals([{ durationS, fromRps: rateRps, toRps: rateRps }]),
  thresholds: {
    ...everyRun({ ...length, peakRps: rateRps }),
    ...queueThresholds({ ...length, drainRps }),
    ...latencyBelow(p99MsMax),
    backlog: [`max<=${Math.ceil(rateRps * BACKLOG_S_MAX)}`],
    resident_growth_mb: [`value<=${growthMbMax}`],
  },
});

export const { options, setup, order, watch, teardown, handleSummary } = run;
