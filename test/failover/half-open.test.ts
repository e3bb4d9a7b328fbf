import assert from 'node:assert/strict';
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { mountLack, SmallDisk } from '../faults/mounts.js';
import { withManager } from '../journal/jetstream-api.js';
import { startForebay } from '../support/forebay.js';
import { NatsServer } from '../support/nats.js';
import { eventually, metric, OrderClient } from '../support/orders.js';

const MIB = 1024 ** 2;
/** Too little for spooling orders, enough for forwarding them: between 16 MiB and 32 MiB. */
const FREE_BYTES = 24 * MIB;

const skip = mountLack() ?? false;

test('a return of NATS is noticed although the disk of the spool stays full', {
  skip,
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'forebay-half-open-'));
  const disk = new SmallDisk({ after: (end) => t.after(end) }, folder, 96);
  // After the disk's own cleanup: these run in the order of registration.
  t.after(() => rm(folder, { recursive: true, force: true }));
  const nats = await NatsServer.start();
  t.after(() => nats.stop());
  const data = join(disk.path, 'data');
  const forebay = await startForebay(['--nats', nats.url, '--drain', 'off'], { owner: t, data });
  const client = new OrderClient(forebay.url);
  t.after(() => client.close());
  const limit = (max_msgs: number) =>
    withManager(nats, (manager) => manager.streams.update('FOREBAY', { max_msgs }));
  await limit(1);
  for (let i = 0; i < 5; i++) assert.equal((await client.post(`before-${i}`)).status, 200);
  const spooledOrders = () => metric(forebay, 'forebay_spooled_orders_total');
  assert.ok((await spooledOrders()) >= 4);
  const { bavail, bsize } = await statfs(disk.path);
  await writeFile(join(disk.path, 'ballast'), Buffer.alloc(bavail * bsize - FREE_BYTES));
  await eventually('nothing takes orders', async () => (await client.post('no')).status === 503);
  // Not before: the free space is read at intervals, so that an order can still be spooled after the disk is full.
  const spooled = await spooledOrders();
  await limit(-1);
  await eventually('the spool is empty', async () => {
    return (await metric(forebay, 'forebay_spool_orders')) === 0;
  });
  await eventually('NATS takes orders', async () => (await client.post('yes')).status === 200);
  for (let i = 0; i < 5; i++) assert.equal((await client.post(`after-${i}`)).status, 200);
  assert.equal(await spooledOrders(), spooled);
  await eventually('/readyz says so', async () => {
    return (await fetch(`${forebay.adminUrl}/readyz`)).status === 200;
  });
  assert.equal(await forebay.stop(), 0);
});
