import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hrtime } from 'node:process';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { runForebay, startForebay } from '../support/forebay.js';
import { eventually, metric, OrderClient } from '../support/orders.js';
import { ledgerHandler } from './handlers.js';

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'forebay-'));
  t.after(() => rm(made, { recursive: true, force: true }));
  return made;
}

/** JavaScript that throws while there is no file `there`. */
function pausesWithout(there: string): string {
  return `
    const { existsSync } = await import('node:fs');
    if (!existsSync(${JSON.stringify(there)})) {
      throw Object.assign(new Error('the shop is shut'), { pause: true });
    }`;
}

/** The most probes within `ms`: each pause is twice the one before, and jitter takes off half at most. */
function probesMax(ms: number): number {
  let probes = 0;
  for (let pauseMs = 100, sumMs = 0; sumMs <= ms; pauseMs = Math.min(5000, pauseMs * 2)) {
    sumMs += pauseMs / 2;
    probes++;
  }
  return probes;
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `user-${i}`);
}

describe('a handler that throws with pause: true', () => {
  it('is called again less and less often, and no order uses an attempt', async (t) => {
    const there = join(await folder(t), 'there');
    const handler = await ledgerHandler(t, pausesWithout(there));
    const flags = ['--handler', handler.file, '--workers', '2', '--attempts-max', '2'];
    const forebay = await startForebay(flags, { owner: t });
    const client = new OrderClient(forebay.url);
    const startedMs = Number(hrtime.bigint() / 1000n) / 1000;
    const answers = await client.postAll(names(200));
    client.close();
    await eventually('/readyz says why', async () => {
      const ready = await fetch(`${forebay.adminUrl}/readyz`);
      return ready.ok && (await ready.text()).includes('the shop is shut');
    });
    const callTimes = async () => [...new Set((await handler.lines()).map(({ atMs }) => atMs))];
    await eventually('it is called again', async () => (await callTimes()).length >= 5);
    await sleep(2000);
    const times = (await callTimes()).sort((a, b) => a - b);
    const batchesUnderWay = 2 * 2;
    const callsMax = batchesUnderWay + probesMax(times.at(-1)! - startedMs);
    assert.ok(times.length <= callsMax, `${times.length} calls, but ${callsMax} at most`);
    await writeFile(there, '');
    await eventually(
      'all are done',
      async () => (await metric(forebay, 'work_done_total{status="done"}')) === 200,
    );
    assert.equal(await metric(forebay, 'forebay_retries_total'), 0);
    assert.equal(await metric(forebay, 'forebay_dead_total'), 0);
    await eventually('/readyz has no reason', async () => {
      const ready = await fetch(`${forebay.adminUrl}/readyz`);
      return (await ready.text()) === '{"status":"ready"}';
    });
    const lines = await handler.lines();
    assert.deepEqual(new Set(lines.map(({ attempt }) => attempt)), new Set([1]));
    assert.deepEqual(new Set(lines.map(({ id }) => id)), new Set(answers.map(({ id }) => id)));
    assert.equal(await forebay.stop(), 0);
    const told = forebay.stderr.split('\n').filter((line) => /shop is shut|works again/.test(line));
    assert.equal(told.length, 2, forebay.stderr);
  });

  it('puts its orders back at a stop, with the same attempt', async (t) => {
    const there = join(await folder(t), 'there');
    const data = await folder(t);
    const handler = await ledgerHandler(t, pausesWithout(there));
    const first = await startForebay(['--handler', handler.file], { owner: t, data });
    const client = new OrderClient(first.url);
    const ids = (await client.postAll(names(60))).map(({ id }) => id);
    client.close();
    await eventually('it pauses', async () => (await handler.lines()).length > 0);
    assert.equal(await first.stop(), 0);

    await writeFile(there, '');
    const before = (await handler.lines()).length;
    const second = await startForebay(['--handler', handler.file], { owner: t, data });
    await eventually(
      'all are done',
      async () => (await metric(second, 'work_done_total{status="done"}')) === 60,
    );
    const lines = (await handler.lines()).slice(before);
    assert.deepEqual(lines.map(({ id }) => id).sort(), ids.sort());
    assert.deepEqual(new Set(lines.map(({ attempt }) => attempt)), new Set([1]));
    assert.equal(await second.stop(), 0);
  });

  it('in direct mode, clients get 503, and 200 when it works again', async (t) => {
    const there = join(await folder(t), 'there');
    const handler = await ledgerHandler(t, pausesWithout(there));
    const flags = ['--mode', 'direct', '--rps-limit', '0', '--handler', handler.file];
    const forebay = await startForebay(flags, { owner: t });
    const client = new OrderClient(forebay.url);
    const statuses = (await client.postAll(names(20))).map(({ status }) => status);
    assert.deepEqual(new Set(statuses), new Set([503]));
    await writeFile(there, '');
    await eventually('it serves', async () => (await client.post('late')).status === 200);
    client.close();
    assert.equal(await metric(forebay, 'work_done_total{status="error"}'), 0);
    assert.equal(await forebay.stop(), 0);
  });
});

describe('a handler that throws with dead: true', () => {
  it('makes a dead letter of that order at its first attempt, and processes the others', async (t) => {
    const handler = await ledgerHandler(
      t,
      `if (orders.some(({ data }) => data.username === 'user-13')) {
         throw Object.assign(new Error('there is no such product'), { dead: true });
       }`,
    );
    const forebay = await startForebay(['--handler', handler.file], { owner: t });
    const client = new OrderClient(forebay.url);
    await client.postAll(names(64));
    client.close();
    await eventually(
      'all are done',
      async () => (await metric(forebay, 'work_done_total{status="done"}')) === 63,
    );
    await eventually(
      'one is dead',
      async () => (await metric(forebay, 'forebay_dead_total')) === 1,
    );
    assert.equal(await metric(forebay, 'forebay_retries_total'), 0);
    assert.equal(await forebay.stop(), 0);
  });
});

describe('prepare of a handler', () => {
  const handle = 'export default async function handle() {}';

  it('that fails keeps Forebay from starting', async (t) => {
    const file = join(await folder(t), 'handler.mjs');
    await writeFile(file, `export function prepare() { throw new Error('no key'); }\n${handle}`);
    const ports = ['--host', '127.0.0.1', '--port', '0', '--admin-port', '0'];
    const data = ['--data', await folder(t)];
    const { code, stderr } = await runForebay(['serve', ...ports, ...data, '--handler', file]);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^forebay: handler .*: its prepare threw .*handler\.mjs:\d+:\d+: Error: no key/m,
    );
  });

  it('that throws with pause: true does not keep Forebay from starting', async (t) => {
    const file = join(await folder(t), 'handler.mjs');
    await writeFile(
      file,
      `export function prepare({ options }) {
         throw Object.assign(new Error('away, ' + options.workMs), { pause: true });
       }\n${handle}`,
    );
    const forebay = await startForebay(['--handler', file, '--work-ms', '7'], { owner: t });
    const client = new OrderClient(forebay.url);
    assert.equal((await client.post('early')).status, 200);
    client.close();
    await eventually(
      'it is done',
      async () => (await metric(forebay, 'work_done_total{status="done"}')) === 1,
    );
    await eventually('that is said', () => forebay.stderr.includes('the handler works again'));
    assert.match(forebay.stderr, /away, 7; retrying/);
    assert.equal(await forebay.stop(), 0);
  });
});
