import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { listSegments, logFolder } from '../../src/journal/local/segment-files.js';
import { runForebay, startForebay } from '../support/forebay.js';
import { OrderClient } from '../support/orders.js';
import { until } from './frames.js';

function dataFolder(t: TestContext): string {
  const data = mkdtempSync(join(tmpdir(), 'forebay-log-folder-'));
  t.after(() => rmSync(data, { recursive: true, force: true }));
  return data;
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `user-${i}`);
}

function states(data: string): string[] {
  return listSegments(logFolder(data))
    .map(({ state }) => state)
    .sort();
}

async function pending(adminUrl: string): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  return Number(/^forebay_journal_pending_orders(?:\{[^}]*\})? (\d+)/m.exec(text)![1]);
}

describe('the logs under --data', () => {
  test('a second process that is refused does not change them', async (t) => {
    const data = dataFolder(t);
    const flags = ['--drain', 'off', '--threads', '1'];
    const first = await startForebay(flags, { owner: t, data });
    const client = new OrderClient(first.url);
    await client.postAll(names(20));
    // The current segment and the next one: no more are made until the first is full.
    const before = ['open', 'open'];
    await until(() => states(data).join() === before.join(), 'both segments made');
    const { code, stderr } = await runForebay([
      'serve',
      ...['--data', data, '--port', '0', '--admin-port', '0'],
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /in use by another/);
    assert.deepEqual(states(data), before);
    await client.postAll(names(20));
    client.close();
    await first.kill9();
    const again = await startForebay(flags, { owner: t, data });
    assert.equal(await pending(again.adminUrl), 40);
    assert.equal(await again.stop(), 0);
  });

  test('a shutdown leaves them empty', async (t) => {
    const data = dataFolder(t);
    const forebay = await startForebay(['--drain', 'off'], { owner: t, data });
    const client = new OrderClient(forebay.url);
    await client.postAll(names(20));
    client.close();
    assert.equal(await forebay.stop(), 0);
    assert.deepEqual(
      states(data).filter((state) => state !== 'free'),
      [],
    );
  });

  test('an order has a receipt as soon as it is accepted', async (t) => {
    const forebay = await startForebay(['--drain', 'off'], { owner: t });
    for (let i = 0; i < 20; i++) {
      const posted = await fetch(`${forebay.url}/orders`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"product_id":"33","count":"3","username":"maksim.konovalov"}',
      });
      const id = posted.headers.get('x-order-id')!;
      const receipt = await fetch(`${forebay.url}/orders/${id}`);
      assert.match(await receipt.text(), /accepted/);
    }
  });
});
