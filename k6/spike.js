// A sale opens: within a second the load is 25 times as high. No order is refused, no answer waits
// for the backlog, and the drain rate is kept.
//   k6 run k6/spike.js                    a server with --drain-rate 200
import { arrivalsOf, backlogPeak, lengthS, rampingArrivals, spikePieces } from './lib/ramp.js';
import { openRun } from './run.js';
import { readSpike } from './settings.js';
import { everyRun, latencyBelow, queueThresholds } from './thresholds.js';

/** At least this share of the calculated backlog must be seen, or the spike never came. */
const BACKLOG_SHARE_MIN = 0.5;

const settings = readSpike(__ENV);
const { spike, drainRps, p99MsMax } = settings;
const pieces = spikePieces(spike);
const length = { durationS: lengthS(pieces), arrivals: arrivalsOf(pieces) };
const backlogMin = drainRps > 0 ? backlogPeak(pieces, drainRps) * BACKLOG_SHARE_MIN : 0;

const run = openRun(settings, {
  script: 'spike',
  what: `spike from ${spike.baseRps} to ${spike.peakRps} RPS in ${spike.riseS} s, held for ${spike.holdS} s`,
  ...length,
  peakRps: spike.peakRps,
  arrivalRate: rampingArrivals(pieces),
  thresholds: {
    ...everyRun({ ...length, peakRps: spike.peakRps }),
    ...queueThresholds({ ...length, drainRps }),
    ...latencyBelow(p99MsMax),
    backlog: [`max>=${Math.floor(backlogMin)}`],
  },
});

export const { options, setup, order, watch, teardown, handleSummary } = run;
