import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limiterBench } from '../../bench/micro/limiter.js';

test('the limiter benchmark at a tiny size reports each path and number of threads', async () => {
  const figures = await limiterBench({ rounds: 1, iterations: 1000 });
  assert.equal(figures.length, 12);
  for (const { processorNs, wallNs } of figures) assert.ok(processorNs > 0 && wallNs > 0);
});
