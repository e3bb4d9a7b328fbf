import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ledgerHandler } from '../drain/handlers.js';
import { runForebay, startForebay } from '../support/forebay.js';
import { NatsServer } from '../support/nats.js';
import { eventually, metric, OrderClient } from '../support/orders.js';

/**
 * The outcome of each order follows from its username. No batch of some size ends before the file `go`
 * exists; the first batch may be a single order.
 */
function outcomes(go: string): string {
  return `
  const { existsSync } = await import('node:fs');
  while (orders.length > 3 && !existsSync(${JSON.stringify(go)})) await new Promise((resolve) => setTimeout(resolve, 20));
  return orders.map(({ attempt, data }) => {
    if (data.username.startsWith('dead')) return 'dead';
    return data.username.startsWith('retry') && attempt === 1 ? 'retry' : 'done';
  });`;
}

describe('a shutdown while NATS is away', () => {
  test('processes nothing twice, and loses neither retries nor dead letters', async (t) => {
    const data = await mkdtemp(join(tmpdir(), 'forebay-stop-away-'));
    t.after(() => rm(data, { recursive: true, force: true }));
    const nats = await NatsServer.start({});
    t.after(() => nats.stop());
    const ledger = await ledgerHandler(t, outcomes(join(data, 'go')));
    const flags = ['--nats', nats.url, '--handler', ledger.file, '--retry-ms-min', '50'];
    const forebay = await startForebay(flags, { owner: t, data });
    const client = new OrderClient(forebay.url);
    t.after(() => client.close());
    const names = Array.from({ length: 90 }, (_, i) => `${['ok', 'retry', 'dead'][i % 3]}-${i}`);
    for (const { status } of await client.postAll(names)) assert.equal(status, 200);
    await eventually('some of each kind are in the handler', async () => {
      const kinds = (await ledger.lines()).map(({ username }) => username.split('-')[0]);
      return new Set(kinds).size === 3;
    });
    await nats.kill();
    await writeFile(join(data, 'go'), '');
    assert.equal(await forebay.stop(), 0);

    const again = await startForebay(flags, { owner: t, data });
    await eventually('retries are in the spool', async () => {
      return (await metric(again, 'forebay_spool_orders')) > 0;
    });
    await nats.start();
    const list = async () => {
      const { stdout } = await runForebay(['dlq', 'list', '--json', '--nats', nats.url]);
      const lines = stdout.split('\n').filter((line) => line !== '');
      return lines.map((line) => JSON.parse(JSON.parse(line).body).username as string);
    };
    // Claims at the shutdown are delivered again after NATS's ack_wait of 30 s.
    await eventually('all are tried', async () => (await ledger.lines()).length >= 120);
    await eventually('the dead letters are kept', async () => (await list()).length >= 30);
    await eventually(
      'nothing is pending',
      async () => (await metric(again, 'forebay_journal_pending_orders')) === 0,
    );
    const lines = await ledger.lines();
    const byAttempt = (wanted: number) =>
      lines.filter(({ attempt }) => attempt === wanted).map(({ username }) => username);
    assert.deepEqual(byAttempt(1).toSorted(), names.toSorted());
    const retried = names.filter((name) => name.startsWith('retry'));
    assert.deepEqual(byAttempt(2).toSorted(), retried.toSorted());
    assert.equal(lines.length, 120);
    const dead = names.filter((name) => name.startsWith('dead'));
    assert.deepEqual((await list()).toSorted(), dead.toSorted());
    assert.equal(await again.stop(), 0);
  });
});
