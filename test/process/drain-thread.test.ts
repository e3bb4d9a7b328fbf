import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ledgerHandler, UNTIL_GO } from '../drain/handlers.js';
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { eventually, metric, OrderClient } from '../support/orders.js';

const DONE = 'work_done_total{status="done"}';
const PENDING = 'forebay_journal_pending_orders';
const ORDERS = 200;

/** A server whose drain thread runs `code` as soon as `go` is called. */
async function staged(t: TestContext, code: string, flags: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'forebay-drain-thread-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [preload, begin, data] = ['stage.cjs', 'begin', 'data'].map((name) => join(folder, name));
  await writeFile(
    preload!,
    `const { isMainThread, workerData } = require('node:worker_threads');
     const { existsSync } = require('node:fs');
     if (!isMainThread && workerData?.intakeThreads && workerData.handler) {
       const timer = setInterval(() => {
         if (!existsSync(${JSON.stringify(begin)})) return;
         clearInterval(timer);
         ${code}
       }, 10);
       timer.unref();
     }`,
  );
  const env = { NODE_OPTIONS: `--require ${preload}` };
  const forebay = await startForebay(flags, { owner: t, data: data!, env });
  return { forebay, data: data!, go: () => writeFile(begin!, '') };
}

async function accepted({ url }: ForebayProcess): Promise<string[]> {
  const client = new OrderClient(url);
  const answers = await client.postAll(Array.from({ length: ORDERS }, (_, i) => `user-${i}`));
  client.close();
  for (const { status } of answers) assert.equal(status, 200);
  return answers.map(({ id }) => id).sort();
}

describe('the drain thread', () => {
  it('an error that nothing catches there stops the server in order: each order runs once', async (t) => {
    const handler = await ledgerHandler(t);
    const flags = ['--handler', handler.file, '--drain-rate', '100'];
    const { forebay, data, go } = await staged(t, "throw new Error('staged');", flags);
    const ids = await accepted(forebay);
    await eventually('it is under way', async () => (await handler.lines()).length > 0);
    await go();
    assert.equal(await forebay.exited, 1);
    assert.match(forebay.stderr, /"event":"bug".*"message":"staged"/);
    assert.doesNotMatch(forebay.stderr, /stop-step-failed/);
    const second = await startForebay(['--handler', handler.file], { owner: t, data });
    await eventually('all are done', async () => (await handler.lines()).length >= ORDERS);
    assert.equal(await second.stop(), 0);
    assert.deepEqual((await handler.lines()).map(({ id }) => id).sort(), ids);
  });

  it('if it dies, the server stops, and no order is lost', async (t) => {
    const handler = await ledgerHandler(t, UNTIL_GO);
    const flags = ['--handler', handler.file];
    const { forebay, data, go } = await staged(t, 'process.exit(7);', flags);
    const ids = await accepted(forebay);
    await go();
    assert.equal(await forebay.exited, 1);
    assert.match(forebay.stderr, /"event":"bug".*the drain thread ended with code 7/);
    assert.doesNotMatch(forebay.stderr, /stop-step-failed/);
    await handler.go();
    const second = await startForebay(flags, { owner: t, data });
    await eventually('all are done', async () => (await metric(second, DONE)) === ORDERS);
    const done = new Set((await handler.lines()).map(({ id }) => id));
    assert.deepEqual([...done].sort(), ids);
    assert.equal(await second.stop(), 0);
  });

  it('while it is busy, probes, scrapes and the page are answered with what was known before', async (t) => {
    const block = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);';
    const { forebay, go } = await staged(t, block, ['--drain', 'off']);
    await accepted(forebay);
    await eventually('it is known', async () => (await metric(forebay, PENDING)) === ORDERS);
    await go();
    const client = new OrderClient(forebay.url);
    for (const path of ['/readyz', '/metrics', '/drain', '/']) {
      const answer = await fetch(`${forebay.adminUrl}${path}`);
      assert.equal(answer.status, 200, path);
      await answer.text();
    }
    assert.equal(await metric(forebay, PENDING), ORDERS);
    const [answer] = await client.postAll(['late']);
    client.close();
    assert.equal(answer!.status, 200);
  });

  it('is told apart from the pool by name', { skip: process.platform !== 'linux' }, async (t) => {
    const { pid } = await startForebay(['--workers', '2'], { owner: t });
    const names = () =>
      readdirSync(`/proc/${pid}/task`)
        .map((tid) => readFileSync(`/proc/${pid}/task/${tid}/comm`, 'utf8').trim())
        .filter((name) => name.startsWith('forebay-'))
        .sort();
    const expected = ['forebay-drain', 'forebay-pool', 'forebay-pool'];
    await eventually('all have their names', async () => `${names()}` === `${expected}`);
  });
});
