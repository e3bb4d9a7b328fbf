import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scrapeBench } from '../../bench/scrape.js';

test('the scrape benchmark, tiny, has its figures', async (t) => {
  if (process.platform !== 'linux') return t.skip('only Linux tells the CPU time of a thread');
  const { bytes, atOnceMs, withPausesMs } = await scrapeBench({
    threads: 2,
    rounds: 1,
    scrapes: 10,
  });
  assert.ok(bytes > 1000);
  assert.ok(atOnceMs >= 0 && withPausesMs >= 0);
});
