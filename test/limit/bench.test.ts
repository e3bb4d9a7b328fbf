import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limiterBench } from '../../bench/micro/limiter.js';

test('the limiter benchmark, tiny, has a figure for each path and number of threads', async () => {
  const figures = await limiterBench({ rounds: 1, iterations: 1000 });
  assert.equal(figures.length, 12);
  for (const { processorNs, wallNs } of figures) assert.ok(processorNs > 0 && wallNs > 0);
});
