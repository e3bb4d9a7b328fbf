import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { arrivalTimesS } from '../../../drills/wave/drive.js';
import { arrivalsBefore, defaultWave, expectedArrivals } from '../../../k6/lib/sine.js';

describe('arrival times', () => {
  const waves = [
    defaultWave,
    { minRps: 5, maxRps: 40, periodS: 3, periods: 2 },
    { minRps: 20, maxRps: 20, periodS: 5, periods: 1 },
  ];

  it('are as many as the integral of the rate', () => {
    for (const wave of waves) {
      assert.equal([...arrivalTimesS(wave)].length, Math.round(expectedArrivals(wave)));
    }
  });

  it('increase, and the n-th is where the integral reaches n', () => {
    for (const wave of waves) {
      let lastS = 0;
      let n = 0;
      for (const tS of arrivalTimesS(wave)) {
        n++;
        assert.ok(tS >= lastS);
        assert.ok(Math.abs(arrivalsBefore(tS, wave) - n) < 1e-6, `arrival ${n} at ${tS} s`);
        lastS = tS;
      }
    }
  });
});
