import assert from 'node:assert/strict';
import { it } from 'node:test';
import { liveBench } from '../../bench/live-page.js';
import { OrderClient } from '../support/orders.js';

const ORDERS = 300;

it('the live page benchmark at a tiny size has viewers that read while orders are accepted', async () => {
  const drive = async (url: string) => {
    const client = new OrderClient(url, 8);
    const startedMs = performance.now();
    try {
      const posts = Array.from({ length: ORDERS }, (_, i) => client.post(`user-${i}`));
      const answers = await Promise.all(posts);
      // Long enough for every viewer to get a row.
      await new Promise((resolve) => setTimeout(resolve, 1500));
      const errors = answers.filter(({ status }) => status !== 200).length;
      return { requestsPerSecond: ORDERS / ((performance.now() - startedMs) / 1000), errors };
    } finally {
      client.close();
    }
  };
  const { ratios, cpuRatios, noise, rowsRead } = await liveBench({ rounds: 1, viewers: 3, drive });
  for (const ratio of [...ratios, ...cpuRatios, ...noise]) {
    assert.ok(ratio > 0 && Number.isFinite(ratio), `${ratio}`);
  }
  assert.ok(rowsRead >= 3, `${rowsRead}`);
});
