import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { eventually } from '../support/orders.js';
import { Shop } from './shop.js';

async function openShop(t: TestContext): Promise<{ shop: Shop; problems: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-shop-'));
  const problems: string[] = [];
  const ends: (() => Promise<void>)[] = [];
  t.after(async () => {
    for (const end of ends) await end();
    rmSync(folder, { recursive: true, force: true });
  });
  const shop = await Shop.open(
    { after: (end) => void ends.push(end) },
    {
      ...{ name: 'forebay-1', folder, data: join(folder, 'data'), flags: [] },
      onDied: (what) => void problems.push(what),
    },
  );
  return { shop, problems };
}

describe('a Forebay in a fault run', () => {
  it('that exits by itself is a problem, is restarted, and may repeat orders', async (t) => {
    const { shop, problems } = await openShop(t);
    const first = shop.pid!;
    assert.equal(shop.wasKilled(`${first}-1`), false);
    process.kill(first, 'SIGSEGV');
    await eventually('it runs again', async () => shop.pid !== null && shop.pid !== first);
    assert.equal(await shop.pending(), 0);
    assert.deepEqual(problems, ['forebay-1 exited by itself, by a signal']);
    assert.equal(shop.wasKilled(`${first}-1`), true);
    assert.equal(shop.wasKilled(`${shop.pid}-1`), false);
    process.kill(shop.pid!, 'SIGTERM');
    await eventually('the second exit is reported', async () => problems.length === 2);
    assert.equal(problems[1], 'forebay-1 exited by itself, with code 0');
    await eventually('it runs again', async () => shop.pid !== null);
    await shop.stop();
    assert.equal(problems.length, 2);
  });

  it('that is killed or stopped as planned is not a problem', async (t) => {
    const { shop, problems } = await openShop(t);
    await shop.kill9();
    assert.equal(shop.pid, null);
    await shop.start();
    await shop.stop();
    assert.equal(shop.pid, null);
    assert.deepEqual(problems, []);
  });
});
