import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { edgesMs, histogramOf, quantilesOf } from '../../../drills/story/record.js';

describe('latencies of the story', () => {
  it('are the values below which the given share of the answers lies', () => {
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
