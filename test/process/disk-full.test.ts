import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { ledgerHandler } from '../drain/handlers.js';
import { startForebay } from '../support/forebay.js';
import { eventually, metric, OrderClient } from '../support/orders.js';

const MIB = 1024 ** 2;

it('a full disk gives 503, a reason and a metric; once there is space, orders are accepted again', async (t) => {
  if (process.getuid?.() !== 0) {
    t.skip('only root can mount a small file system');
    return;
  }
  const mount = mkdtempSync(join(tmpdir(), 'forebay-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=96m', 'tmpfs', mount]);
  t.after(() => {
    execFileSync('umount', ['--lazy', mount]);
    rmSync(mount, { recursive: true, force: true });
  });
  const handler = await ledgerHandler(t);
  const flags = ['--handler', handler.file];
  const forebay = await startForebay(flags, { owner: t, data: join(mount, 'data') });
  const client = new OrderClient(forebay.url);
  t.after(() => client.close());
  const accepted = [await client.post('before')];
  const ballast = join(mount, 'ballast');
  writeFileSync(ballast, Buffer.alloc(50 * MIB));
  await eventually('503', async () => {
    const answer = await client.post('full');
    if (answer.status === 200) accepted.push(answer);
    return answer.status === 503;
  });
  await eventually('/readyz says why', async () => {
    const ready = await fetch(`${forebay.adminUrl}/readyz`);
    return ready.status === 503 && /disk full/.test(await ready.text());
  });
  assert.ok((await metric(forebay, 'forebay_http_responses_total{status="503"}')) > 0);
  rmSync(ballast);
  await eventually('200 again', async () => {
    const answer = await client.post('after');
    if (answer.status === 200) accepted.push(answer);
    return answer.status === 200;
  });
  await eventually('every accepted order is done', async () => {
    const ids = (await handler.lines()).map(({ id }) => id).sort();
    return JSON.stringify(ids) === JSON.stringify(accepted.map(({ id }) => id).sort());
  });
  assert.equal(await forebay.stop(), 0);
});
