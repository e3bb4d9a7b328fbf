import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  arrivalRate,
  arrivalsBefore,
  defaultWave,
  durationS,
  expectedArrivals,
  rate,
  shareAbove,
} from '../../../k6/lib/sine.js';

describe('the sine', () => {
  it('starts in the middle, peaks after a quarter, and ends in the middle', () => {
    assert.equal(rate(0, defaultWave), 50);
    assert.equal(rate(15, defaultWave), 100);
    assert.ok(Math.abs(rate(45, defaultWave)) < 1e-9);
    assert.ok(Math.abs(rate(120, defaultWave) - 50) < 1e-9);
  });

  it('has 6000 requests in two periods of a minute', () => {
    assert.ok(Math.abs(expectedArrivals(defaultWave) - 6000) < 1e-6);
  });

  it('has an integral whose slope is the rate', () => {
    const wave = { minRps: 10, maxRps: 70, periodS: 7, periods: 3 };
    for (let tS = 0.5; tS < durationS(wave); tS += 0.37) {
      const slope = (arrivalsBefore(tS + 1e-4, wave) - arrivalsBefore(tS - 1e-4, wave)) / 2e-4;
      assert.ok(Math.abs(slope - rate(tS, wave)) < 1e-3, `at ${tS} s`);
    }
  });

  it('has 1/π of its requests above its middle, none above its peak, all above 0', () => {
    assert.ok(Math.abs(shareAbove(50, defaultWave) - 1 / Math.PI) < 1e-6);
    assert.equal(shareAbove(100, defaultWave), 0);
    assert.ok(Math.abs(shareAbove(0, defaultWave) - 1) < 1e-6);
  });

  it('becomes ramps of the same duration and number of requests', () => {
    for (const wave of [defaultWave, { minRps: 3, maxRps: 41, periodS: 7, periods: 3 }]) {
      const { startRate, timeUnit, stages } = arrivalRate(wave);
      let from = startRate;
      let lastedMs = 0;
      let arrivals = 0;
      for (const { duration, target } of stages) {
        assert.ok(Number.isInteger(target), 'k6 takes whole numbers only');
        const ms = Number.parseInt(duration, 10);
        arrivals += (((from + target) / 2) * ms) / 1000 / Number.parseInt(timeUnit, 10);
        lastedMs += ms;
        from = target;
      }
      assert.equal(lastedMs, durationS(wave) * 1000);
      assert.ok(Math.abs(arrivals - expectedArrivals(wave)) < 0.001 * expectedArrivals(wave));
    }
  });
});
