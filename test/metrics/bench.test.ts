import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scrapeBench } from '../../bench/scrape.js';

test('the scrape benchmark at a tiny size reports all results', async (t) => {
  if (process.platform !== 'linux') return t.skip('only Linux tells the CPU time of a thread');
  const { bytes, atOnceMs, withPausesMs } = await scrapeBench({
    threads: 2,
    rounds: 1,
    scrapes: 10,
  });
  assert.ok(bytes > 1000);
  assert.ok(atOnceMs >= 0 && withPausesMs >= 0);
});
