import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ledgerHandler } from '../drain/handlers.js';
import { startForebay } from '../support/forebay.js';
import { NatsServer } from '../support/nats.js';
import { eventually, OrderClient } from '../support/orders.js';

/** Open sockets of a process, over all its threads. */
function sockets(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter((fd) => {
    try {
      return readlinkSync(join(folder, fd)).startsWith('socket:');
    } catch {
      return false; // closed meanwhile
    }
  }).length;
}

async function frozenNats(t: TestContext): Promise<NatsServer> {
  const nats = await NatsServer.start();
  t.after(() => nats.stop());
  nats.freeze();
  return nats;
}

/** Stops its own process while it loads, for longer than a handler may take, and then needs half a second more. */
const FREEZES_ITSELF = `
  import { spawn } from 'node:child_process';
  const script = 'sleep 12; kill -CONT ' + process.pid;
  spawn('sh', ['-c', script], { detached: true, stdio: 'ignore' }).unref();
  process.kill(process.pid, 'SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 500));
  export default async (orders) => orders.map(() => 'done');
`;

test('a Forebay that is frozen while it loads its handler starts when it continues', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'forebay-frozen-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const handler = join(folder, 'handler.mjs');
  await writeFile(handler, FREEZES_ITSELF);
  const forebay = await startForebay(['--handler', handler], { owner: t });
  assert.equal(await forebay.stop(), 0);
});

describe('a frozen NATS server', () => {
  test('before the first connection: no dial leaves a socket open, and the shutdown is ordered', async (t) => {
    const nats = await frozenNats(t);
    const forebay = await startForebay(['--nats', nats.url, '--threads', '2'], { owner: t });
    const before = sockets(forebay.pid);
    // Each thread dials every three seconds; two dials may be in progress.
    await sleep(10_000);
    assert.ok(
      sockets(forebay.pid) <= before + 3,
      `${before} sockets, then ${sockets(forebay.pid)}`,
    );
    assert.equal(await forebay.stop(), 0);
    assert.match(forebay.stderr, /"event":"stopped"/);
  });

  test('that continues: it is found again, and the shutdown is ordered', async (t) => {
    const nats = await frozenNats(t);
    const forebay = await startForebay(['--nats', nats.url, '--threads', '1'], { owner: t });
    await sleep(4000);
    nats.thaw();
    await eventually('it is found', async () => {
      return (await (await fetch(`${forebay.adminUrl}/readyz`)).text()) === '{"status":"ready"}';
    });
    assert.equal(await forebay.stop(), 0);
  });

  test('while an idle Forebay shuts down: the shutdown is ordered', async (t) => {
    const nats = await NatsServer.start();
    t.after(() => nats.stop());
    // Less than the sum of all timeouts of a shutdown.
    const flags = ['--nats', nats.url, '--shutdown-ms-max', '4000'];
    const forebay = await startForebay(flags, { owner: t });
    const client = new OrderClient(forebay.url);
    t.after(() => client.close());
    assert.equal((await client.post('one')).status, 200);
    await sleep(500);
    nats.freeze();
    assert.equal(await forebay.stop(), 0);
    assert.match(forebay.stderr, /"event":"stopped"/);
  });

  test('while Forebay shuts down with unsettled orders: the shutdown is ordered, and no order is processed twice', async (t) => {
    const data = await mkdtemp(join(tmpdir(), 'forebay-frozen-'));
    t.after(() => rm(data, { recursive: true, force: true }));
    const nats = await NatsServer.start();
    t.after(() => nats.stop());
    const go = join(data, 'go');
    const ledger = await ledgerHandler(
      t,
      `const { existsSync } = await import('node:fs');
       while (!existsSync(${JSON.stringify(go)})) await new Promise((resolve) => setTimeout(resolve, 20));`,
    );
    const flags = ['--nats', nats.url, '--handler', ledger.file];
    const forebay = await startForebay(flags, { owner: t, data });
    const client = new OrderClient(forebay.url);
    t.after(() => client.close());
    const names = Array.from({ length: 50 }, (_, i) => `order-${i}`);
    for (const { status } of await client.postAll(names)) assert.equal(status, 200);
    await eventually('some are in the handler', async () => (await ledger.lines()).length > 0);
    nats.freeze();
    await writeFile(go, '');
    assert.equal(await forebay.stop(), 0);
    nats.thaw();
    const again = await startForebay(flags, { owner: t, data });
    const processed = async () => (await ledger.lines()).map(({ username }) => username);
    // NATS delivers unsettled frames again after its ack_wait of 30 s.
    await eventually(
      'all are processed',
      async () => new Set(await processed()).size === names.length,
    );
    assert.deepEqual((await processed()).toSorted(), names.toSorted());
    assert.equal(await again.stop(), 0);
  });
});
