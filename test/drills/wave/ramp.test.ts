import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  arrivalsOf,
  backlogPeak,
  lengthS,
  peakOf,
  rampingArrivals,
  spikePieces,
  stairPieces,
} from '../../../k6/lib/ramp.js';

const spike = spikePieces({
  baseRps: 20,
  peakRps: 500,
  beforeS: 15,
  riseS: 1,
  holdS: 10,
  afterS: 30,
});
const stairs = stairPieces({ stepRps: 100, steps: 4, holdS: 2.5 });

/** What k6 does, by its documentation: each stage goes evenly from the last rate to its own. */
function driven({ startRate, timeUnit, stages }: ReturnType<typeof rampingArrivals>) {
  const unitS = Number.parseInt(timeUnit, 10);
  let rate = startRate;
  const sum = { arrivals: 0, lastsS: 0 };
  for (const { duration, target } of stages) {
    assert.ok(Number.isInteger(target), 'k6 takes whole numbers only');
    const stageS = duration.endsWith('ms') ? Number.parseInt(duration, 10) / 1000 : 0;
    sum.arrivals += ((rate + target) / 2 / unitS) * stageS;
    sum.lastsS += stageS;
    rate = target;
  }
  return sum;
}

describe('loads of straight pieces', () => {
  it('keep their duration and number of requests in the form of k6', () => {
    for (const pieces of [spike, stairs]) {
      const { arrivals, lastsS } = driven(rampingArrivals(pieces));
      assert.ok(Math.abs(arrivals - arrivalsOf(pieces)) < 1e-6);
      assert.equal(lastsS, lengthS(pieces));
    }
    assert.equal(arrivalsOf(spike), 20 * 45 + 2 * 260 + 5000);
    assert.equal(arrivalsOf(stairs), 2500);
  });

  it('jump where two pieces do not meet', () => {
    const targets = rampingArrivals(stairs).stages.map(({ duration }) => duration);
    assert.deepEqual(targets, ['2500ms', '0s', '2500ms', '0s', '2500ms', '0s', '2500ms']);
    assert.equal(peakOf(stairs), 400);
  });

  it('leave the backlog that exceeds the drain rate', () => {
    // Ten seconds of 300 too many, and the two slopes: 0.625 s each at half of 300.
    const expected = 3000 + 2 * 0.5 * 0.625 * 300;
    assert.ok(Math.abs(backlogPeak(spike, 200) - expected) < 0.02 * expected);
    assert.equal(backlogPeak(stairs, 400), 0);
  });
});
