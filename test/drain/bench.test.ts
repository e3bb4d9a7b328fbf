import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drainBench } from '../../bench/drain.js';

test('the drain benchmark at a tiny size reports all results', async (t) => {
  if (process.platform !== 'linux') return t.skip('only Linux tells the CPU time of a thread');
  const size = { orders: 4000, frameOrders: 50 };
  const figure = await drainBench('local', size, ['--drain-rate', '2000']);
  assert.ok(figure.ordersPerS > 0);
  assert.ok(figure.drainCpuUs > 0 && figure.cpuUs >= figure.drainCpuUs);
});
