import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { RpsMeter } from '../../src/limit/meter.js';
import { WindowLimiter } from '../../src/limit/window.js';
import type { HammerTask } from './hammer-thread.js';

const THREADS = 4;
const BUCKET_NS = 100e6;

for (const { limit, windowMs, admissions, sizes } of [
  { limit: 1, windowMs: 0.02, admissions: 5_000, sizes: [1] },
  { limit: 7, windowMs: 0.05, admissions: 10_000, sizes: [1] },
  { limit: 7, windowMs: 0.05, admissions: 10_000, sizes: [1, 7, 2, 5] },
  { limit: 1000, windowMs: 16.7, admissions: 12_500, sizes: [1] },
  { limit: 1000, windowMs: 16.7, admissions: 12_500, sizes: [100, 1, 1, 1, 999] },
  { limit: 5000, windowMs: 50, admissions: 12_500, sizes: [1] },
]) {
  test(`${THREADS} threads never have more than ${limit} admissions in ${windowMs} ms, asking for ${sizes.join(', ')} at once`, async () => {
    const meter = RpsMeter.memory();
    const task: HammerTask = {
      limiter: WindowLimiter.memory(limit, windowMs),
      meter,
      meterNs: BUCKET_NS,
      admissions,
      sizes,
    };
    const timesNs = (await hammer(task)).sort();
    assert.equal(timesNs.length, THREADS * admissions);
    for (let i = limit; i < timesNs.length; i++) {
      const spanNs = timesNs[i] - timesNs[i - limit];
      assert.ok(spanNs >= windowMs * 1e6, `${limit + 1} admissions within ${spanNs} ns`);
    }
    const reader = new RpsMeter(meter, () => 2 * BUCKET_NS);
    assert.equal(reader.perSecond(), timesNs.length, 'the meter lost hits');
  });
}

/** The admission times of all threads. */
async function hammer(workerData: HammerTask): Promise<Float64Array> {
  const file = new URL('./hammer-thread.js', import.meta.url);
  const workers = Array.from({ length: THREADS }, () => new Worker(file, { workerData }));
  try {
    const parts = await Promise.all(workers.map((worker) => once(worker, 'message')));
    return Float64Array.from(parts.flatMap(([timesNs]) => Array.from(timesNs as Float64Array)));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
