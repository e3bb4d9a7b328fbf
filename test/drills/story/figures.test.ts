import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { edgesMs, histogramOf, quantilesOf, serverFigures } from '../../../drills/story/figures.js';
import { readingOf } from '../../../drills/wave/server-watch.js';
import { metricsText } from './metrics-text.js';

describe('latencies of the story', () => {
  it('are given by nearest rank', () => {
    const latencies = Array.from({ length: 1000 }, (_, i) => 1000 - i);
    const expected = { count: 1000, p50: 500, p90: 900, p99: 990, p999: 999, max: 1000 };
    assert.deepEqual(quantilesOf(latencies), expected);
    assert.deepEqual(quantilesOf([7]), { count: 1, p50: 7, p90: 7, p99: 7, p999: 7, max: 7 });
    assert.equal(quantilesOf([]), null);
  });

  it('fall into the bar between whose edges they lie, or the nearest', () => {
    for (const ms of [0.11, 0.5, 0.99, 1.01, 3, 77, 999, 9_000]) {
      const { counts } = histogramOf([ms]);
      const bar = counts.indexOf(1);
      assert.ok(edgesMs[bar]! <= ms && ms < edgesMs[bar + 1]!, `${ms} in bar ${bar}`);
    }
    assert.equal(histogramOf([0, 0.0001, -1]).counts[0], 3);
    assert.equal(histogramOf([10_000, 50_000]).counts.at(-1), 2);
  });
});

describe('what the server did', () => {
  it('is the difference between the first reading and the last, with the highest gauges in between', () => {
    const startMs = 1_700_000_000_000;
    const readings = [
      metricsText({ uptimeS: 9.5, created: 100, done: 100 }),
      metricsText({ uptimeS: 11, created: 200, done: 120, pending: 80 }),
      metricsText({ uptimeS: 14.5, created: 300, done: 290, pending: 10 }),
      metricsText({ uptimeS: 15.5, created: 300, done: 300 }),
      metricsText({ uptimeS: 16.5, created: 300, done: 300 }),
    ].map(readingOf);
    const wave = { minRps: 0, maxRps: 100, periodS: 4, periods: 1 };
    const figures = serverFigures({ readings, bootMs: startMs - 10_000 }, startMs, wave);
    assert.equal(figures.created, 200);
    assert.equal(figures.done, 200);
    assert.equal(figures.pendingOrdersMax, 80);
    assert.equal(figures.pendingOrdersEnd, 0);
    assert.equal(figures.drainedAfterS, 1.5);
    assert.equal(figures.lagMsMax, 20);
    assert.equal(figures.residentMbMax, 100);
    assert.ok(Math.abs(figures.commitMsMean! - 2) < 1e-9);
    assert.equal(figures.handlerMsMean, null);
    assert.ok(Math.abs(figures.cpuShare - 0.2 / 7) < 1e-9);
  });
});
