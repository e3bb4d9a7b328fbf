import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { createCounts, GAUGE, ThreadCounts } from '../../src/metrics/count.js';
import { type NamedThread, ThreadLoad } from '../../src/metrics/thread-load.js';
import { publishThreadStats } from '../../src/metrics/thread-stats.js';

const onLinux = process.platform === 'linux';

async function startLoad(name: string, spin: boolean): Promise<[Worker, NamedThread]> {
  const worker = new Worker(new URL('./load-worker.js', import.meta.url), { workerData: { spin } });
  const [tid] = (await once(worker, 'message')) as [number];
  return [worker, { name, tid }];
}

test('a spinning thread shows more CPU than a sleeping one; none exceeds 1', async (t) => {
  if (!onLinux) return t.skip('only Linux has /proc');
  const [spinner, busy] = await startLoad('busy', true);
  const [sleeper, idle] = await startLoad('idle', false);
  try {
    const load = new ThreadLoad(createCounts(1), ['main'], () => [busy, idle]);
    assert.deepEqual(load.cpuRatios(), [], 'no previous sample');
    for (;;) {
      await sleep(300);
      const ratios = new Map(load.cpuRatios().map(({ name, value }) => [name, value]));
      assert.deepEqual([...ratios.keys()], ['busy', 'idle']);
      for (const value of ratios.values()) assert.ok(value >= 0 && value <= 1);
      if (ratios.get('busy')! > ratios.get('idle')!) break;
    }
  } finally {
    await Promise.all([spinner.terminate(), sleeper.terminate()]);
  }
});

test('a thread that has ended is left out', async (t) => {
  if (!onLinux) return t.skip('only Linux has /proc');
  const [sleeper, idle] = await startLoad('idle', false);
  const load = new ThreadLoad(createCounts(1), [], () => [idle]);
  try {
    load.cpuRatios();
    await sleep(300);
    assert.equal(load.cpuRatios().length, 1);
  } finally {
    await sleeper.terminate();
  }
  for (;;) {
    await sleep(300);
    if (load.cpuRatios().length === 0) break;
  }
});

test('a stall of the event loop shows in the lag of its thread', async () => {
  const counts = createCounts(2);
  const stop = publishThreadStats(new ThreadCounts(counts, 1));
  try {
    const load = new ThreadLoad(counts, ['main', 'intake-1'], () => []);
    await sleep(100);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
    for (;;) {
      const [main, intake] = load.eventLoopLags();
      assert.deepEqual(main, { name: 'main', value: 0 });
      assert.equal(intake.name, 'intake-1');
      if (intake.value >= 0.3) break;
      await sleep(50);
    }
  } finally {
    stop();
  }
});

test('a thread publishes its kernel thread id', () => {
  const counts = new ThreadCounts(createCounts(1), 0);
  publishThreadStats(counts)();
  const tid = counts.get(GAUGE.threadId);
  // The id of a process's main thread is the process id.
  assert.equal(tid, onLinux ? process.pid : 0);
});
