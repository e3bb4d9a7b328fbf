/** Orders that were in progress when the process died for another reason. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runForebay, startForebay } from '../support/forebay.js';
import { eventually, metric, OrderClient } from '../support/orders.js';
import { ledgerHandler, UNTIL_GO } from './handlers.js';
import { temporary } from './killers.js';

const NAMES = Array.from({ length: 40 }, (_, i) => `user-${i}`);

describe('an order that is innocent', () => {
  it('runs alone after kill -9, is done, and is no dead letter', async (t) => {
    const data = await temporary(t);
    const handler = await ledgerHandler(t, UNTIL_GO);
    const flags = ['--handler', handler.file, '--workers', '2', '--attempts-max', '3'];
    const first = await startForebay(flags, { owner: t, data });
    const client = new OrderClient(first.url);
    await client.postAll(NAMES);
    client.close();
    await eventually('two calls run', async () => (await handler.lines()).length >= 2);
    await first.kill9();
    const begun = new Set((await handler.lines()).map(({ username }) => username));
    await handler.go();
    const second = await startForebay(flags, { owner: t, data });
    await eventually(
      'nothing is pending',
      async () => (await metric(second, 'forebay_journal_pending_orders')) === 0,
    );
    assert.equal(await metric(second, 'forebay_suspect_runs_total'), begun.size);
    assert.equal(await metric(second, 'forebay_dead_total'), 0);
    const lines = await handler.lines();
    for (const username of NAMES) {
      const runs = lines.filter((line) => line.username === username);
      assert.equal(runs.length, begun.has(username) ? 2 : 1);
      if (begun.has(username)) assert.equal(runs[1]!.batch, 1);
      assert.deepEqual([...new Set(runs.map(({ attempt }) => attempt))], [1]);
    }
    assert.equal(await second.stop(), 0);
    assert.match(second.stderr, /"event":"crash-suspects"/);
  });

  it('that a stop cuts off is no suspect, however often', async (t) => {
    const data = await temporary(t);
    const handler = await ledgerHandler(t, UNTIL_GO);
    const flags = ['--handler', handler.file, '--attempts-max', '1'];
    for (let deploys = 0; deploys < 3; deploys++) {
      const late = [...flags, '--shutdown-ms-max', '300'];
      const forebay = await startForebay(late, { owner: t, data });
      if (deploys === 0) {
        const client = new OrderClient(forebay.url);
        await client.postAll(NAMES);
        client.close();
      }
      await eventually('it runs', async () => (await handler.lines()).length > 0);
      forebay.signal('SIGTERM');
      assert.equal(await forebay.exited, null);
      assert.doesNotMatch(forebay.stderr, /crash-suspects/);
      await handler.clear();
    }
    await handler.go();
    const last = await startForebay(flags, { owner: t, data });
    await eventually(
      'all are done',
      async () => (await metric(last, 'forebay_journal_pending_orders')) === 0,
    );
    assert.equal(await metric(last, 'forebay_suspect_runs_total'), 0);
    assert.equal(await last.stop(), 0);
    const listed = await runForebay(['dlq', 'list', '--json', '--data', data]);
    assert.equal(listed.stdout, '');
  });

  it('is processed if the file of what is in hand cannot be written', async (t) => {
    const data = await temporary(t);
    await mkdir(join(data, 'hand'));
    const handler = await ledgerHandler(t);
    const forebay = await startForebay(['--handler', handler.file], { owner: t, data });
    const client = new OrderClient(forebay.url);
    await client.postAll(NAMES);
    client.close();
    await eventually('all are done', async () => (await handler.lines()).length === NAMES.length);
    assert.equal(await forebay.stop(), 0);
    const lines = forebay.stderr.split('\n').filter((line) => line.includes('crash-uncounted'));
    assert.equal(lines.length, 1);
  });

  it('done before the crash is not run again, if other orders of its frame are open', async (t) => {
    const data = await temporary(t);
    const handler = await ledgerHandler(
      t,
      `if (orders.some(({ data }) => data.username === 'user-20')) { ${UNTIL_GO} }`,
    );
    const flags = ['--handler', handler.file, '--batch-orders-max', '1', '--workers', '2'];
    const intake = await startForebay(['--drain', 'off'], { data });
    const client = new OrderClient(intake.url);
    await client.postAll(NAMES);
    client.close();
    assert.equal(await intake.stop(), 0);
    const first = await startForebay(flags, { owner: t, data });
    await eventually(
      'all but one are done',
      async () => (await metric(first, 'work_done_total{status="done"}')) === NAMES.length - 1,
    );
    await first.kill9();
    await handler.go();
    const second = await startForebay(flags, { owner: t, data });
    await eventually(
      'the last is done',
      async () => (await metric(second, 'forebay_journal_pending_orders')) === 0,
    );
    assert.equal(await second.stop(), 0);
    const runs = (await handler.lines()).map(({ username }) => username);
    assert.deepEqual(runs.filter((name) => name === 'user-20').length, 2);
    assert.equal(runs.length, NAMES.length + 1);
  });
});
