import assert from 'node:assert/strict';
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { mountLack, SmallDisk } from '../faults/mounts.js';
import { startForebay } from '../support/forebay.js';
import { NatsServer } from '../support/nats.js';
import { eventually, metric, orderBody } from '../support/orders.js';
import { KeyedPoster } from './keyed-post.js';

const MIB = 1024 ** 2;
/** Forebay writes nothing below 16 MiB of free space. */
const FREE_BYTES = 8 * MIB;

const skip = mountLack() ?? false;

test('keys that could not be written while the disk was full are known after the next start', {
  skip,
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'forebay-keys-'));
  const disk = new SmallDisk({ after: (end) => t.after(end) }, folder, 96);
  // After the disk's cleanup, because cleanups run in order.
  t.after(() => rm(folder, { recursive: true, force: true }));
  const nats = await NatsServer.start();
  t.after(() => nats.stop());
  const ballast = join(disk.path, 'ballast');
  const data = join(disk.path, 'data');
  const flags = ['--nats', nats.url, '--drain', 'off'];
  const forebay = await startForebay(flags, { owner: t, data });
  const poster = new KeyedPoster(forebay.url);
  t.after(() => poster.close());
  const { bavail, bsize } = await statfs(disk.path);
  await writeFile(ballast, Buffer.alloc(bavail * bsize - FREE_BYTES));
  await sleep(100); // The free space is checked every 20 ms.
  const first = await poster.post('while-full', orderBody('while-full'));
  assert.equal(first.status, 200);
  await eventually('its key could not be written', async () => {
    return (await metric(forebay, 'forebay_key_rows_failed_total')) === 1;
  });
  await rm(ballast);
  // Long enough for the stored position, which lags by five seconds, to pass that order.
  for (let i = 0; i < 8; i++) {
    assert.equal((await poster.post(`later-${i}`, orderBody('later'))).status, 200);
    await sleep(1000);
  }
  await forebay.kill9();
  const again = await startForebay(flags, { owner: t, data });
  const second = new KeyedPoster(again.url);
  t.after(() => second.close());
  const repeated = await second.post('while-full', orderBody('while-full'));
  assert.deepEqual([repeated.status, repeated.id, repeated.isReplay], [200, first.id, true]);
  assert.equal(await again.stop(), 0);
});
