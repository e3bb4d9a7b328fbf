import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { Backoff, pause } from '../../src/model/backoff.js';

/** Never over while a test runs. */
const LONG_MS = 600_000;
/** By how much a timer may fire early, in milliseconds. */
const EARLY_MS = 2;

async function msOf(step: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await step();
  return performance.now() - startMs;
}

describe('Backoff', () => {
  it('doubles its pauses up to the bound, and begins again after a reset', async () => {
    const { signal } = new AbortController();
    const backoff = new Backoff(20, 70, signal);
    for (const ms of [20, 40, 70, 70]) {
      assert.ok((await msOf(() => backoff.pause())) >= ms - EARLY_MS);
    }
    backoff.reset();
    assert.equal(backoff.isFirst, true);
    await backoff.pause();
    assert.equal(backoff.isFirst, false);
  });

  it('ends a pause when the signal is aborted, and then pauses no more', async () => {
    const closing = new AbortController();
    const backoff = new Backoff(LONG_MS, LONG_MS, closing.signal);
    const paused = backoff.pause();
    closing.abort();
    await paused;
    await backoff.pause();
  });

  it('leaves no listener on the signal', async () => {
    const { signal } = new AbortController();
    for (let i = 0; i < 20; i++) await pause(1, signal);
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });
});
