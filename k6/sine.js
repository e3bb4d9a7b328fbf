// The sine wave, for both modes. The exit code is 0 when every threshold holds.
//   k6 run -e MODE=direct k6/sine.js      a server with --mode direct --rps-limit 50
//   k6 run -e MODE=queue  k6/sine.js      a server with --drain-rate 60
import { arrivalRate, durationS, expectedArrivals, rate } from './lib/sine.js';
import { openRun } from './run.js';
import { readSine } from './settings.js';
import { directThresholds, everyRun, queueThresholds } from './thresholds.js';

const settings = readSine(__ENV);
const { mode, wave, drainRps } = settings;
const length = { durationS: durationS(wave), arrivals: expectedArrivals(wave) };
const peakRps = rate(wave.periodS / 4, wave);

const run = openRun(settings, {
  script: 'sine',
  what: `wave ${wave.minRps} to ${wave.maxRps} RPS, ${wave.periods} periods of ${wave.periodS} s, mode ${mode}`,
  ...length,
  peakRps,
  arrivalRate: arrivalRate(wave),
  thresholds: {
    ...everyRun({ ...length, peakRps }),
    ...(mode === 'direct' ? directThresholds(settings) : queueThresholds({ ...length, drainRps })),
  },
});

export const { options, setup, order, watch, teardown, handleSummary } = run;
