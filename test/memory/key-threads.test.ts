import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { createKeyMemory } from '../../src/memory/key-layout.js';
import { KeyTable } from '../../src/memory/key-table.js';
import type { KeyHammerResult, KeyHammerTask } from './key-hammer-thread.js';

const THREADS = 4;
/** Bounds the test if a thread does not end. */
const HAMMER_MS_MAX = 120_000;

for (const keys of [5000, 20_000]) {
  test(`${THREADS} threads, the same ${keys} keys: each key has one winner, and all threads replay it`, async () => {
    const memory = createKeyMemory(keys + keys / 5, 1e9, 1e9);
    const results = await hammer({ memory, keys });
    const won = results.flatMap((result) => result.won);
    assert.equal(won.length, keys);
    assert.equal(new Set(won).size, keys);
    for (const { replays } of results) assert.deepEqual(replays, results[0].replays);
    assert.equal(new KeyTable(memory).size(1), keys);
  });
}

async function hammer(workerData: KeyHammerTask): Promise<KeyHammerResult[]> {
  const file = new URL('./key-hammer-thread.js', import.meta.url);
  const signal = AbortSignal.timeout(HAMMER_MS_MAX);
  const workers = Array.from({ length: THREADS }, () => new Worker(file, { workerData }));
  try {
    const messages = await Promise.all(
      workers.map((worker) => once(worker, 'message', { signal })),
    );
    return messages.map(([result]) => result as KeyHammerResult);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
