import assert from 'node:assert/strict';
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { mountLack, SmallDisk } from '../faults/mounts.js';
import { startForebay } from '../support/forebay.js';
import { NatsServer } from '../support/nats.js';
import { eventually, metric, OrderClient } from '../support/orders.js';

const MIB = 1024 ** 2;
/** Below 16 MiB free nothing is written. */
const FREE_BYTES = 8 * MIB;

const skip = mountLack() ?? false;

test('an ordered shutdown works while the disk is too full to remove forwarded frames from the spool', {
  skip,
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'forebay-disk-stop-'));
  const disk = new SmallDisk({ after: (end) => t.after(end) }, folder, 96);
  // Registered after the hook that removes the disk, because hooks run in order of registration.
  t.after(() => rm(folder, { recursive: true, force: true }));
  const nats = await NatsServer.start();
  t.after(() => nats.stop());
  const ballast = join(disk.path, 'ballast');
  const data = join(disk.path, 'data');
  const forebay = await startForebay(['--nats', nats.url], { owner: t, data });
  const client = new OrderClient(forebay.url);
  t.after(() => client.close());
  await nats.kill();
  const names = ['one', 'two', 'three'];
  for (const { status } of await client.postAll(names)) assert.equal(status, 200);
  const { bavail, bsize } = await statfs(disk.path);
  await writeFile(ballast, Buffer.alloc(bavail * bsize - FREE_BYTES));
  await nats.start();
  await eventually('it waits for room', () => /"event":"settle-waits"/.test(forebay.stderr));
  assert.equal(await forebay.stop(), 0);
  assert.match(forebay.stderr, /"event":"stopped"/);

  await rm(ballast);
  const again = await startForebay(['--nats', nats.url], { owner: t, data });
  await eventually('the spool is empty', async () => {
    return (await metric(again, 'forebay_spool_orders')) === 0;
  });
  await eventually('nothing waits', async () => {
    return (await metric(again, 'forebay_journal_pending_orders')) === 0;
  });
  assert.equal(await again.stop(), 0);
});
