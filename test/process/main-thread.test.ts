import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ledgerHandler } from '../drain/handlers.js';
import { runForebay, startForebay } from '../support/forebay.js';
import { NatsServer } from '../support/nats.js';
import { eventually, metric, OrderClient } from '../support/orders.js';

const DONE = 'work_done_total{status="done"}';
const names = (count: number) => Array.from({ length: count }, (_, i) => `user-${i}`);

async function postAll(url: string, count: number): Promise<string[]> {
  const client = new OrderClient(url);
  const answers = await client.postAll(names(count));
  client.close();
  for (const { status } of answers) assert.equal(status, 200);
  return answers.map(({ id }) => id).sort();
}

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'forebay-main-'));
  t.after(() => rm(made, { recursive: true, force: true }));
  return made;
}

describe('--threads 0, the intake in the main thread', () => {
  for (const mode of ['local', 'jetstream', 'direct']) {
    it(`${mode}: accepts and processes each order once, and shuts down in order`, async (t) => {
      const handler = await ledgerHandler(t);
      const flags = ['--threads', '0', '--handler', handler.file];
      if (mode === 'direct') flags.push('--mode', 'direct', '--rps-limit', '0');
      if (mode === 'jetstream') {
        const nats = await NatsServer.start();
        t.after(() => nats.stop());
        // What takes longer goes to the spool, with a warning.
        flags.push('--nats', nats.url, '--commit-ms-max', '60000');
      }
      const forebay = await startForebay(flags, { owner: t });
      const ids = await postAll(forebay.url, 2000);
      await eventually('all are done', async () => (await metric(forebay, DONE)) === 2000);
      assert.deepEqual((await handler.lines()).map(({ id }) => id).sort(), ids);
      const metrics = await (await fetch(`${forebay.adminUrl}/metrics`)).text();
      const threads = metrics.matchAll(/^forebay_event_loop_lag_seconds\{thread="([^"]+)"\}/gm);
      assert.deepEqual(
        Array.from(threads, ([, name]) => name),
        ['main', 'drain'],
      );
      assert.equal(await forebay.stop(), 0);
      assert.doesNotMatch(forebay.stderr, /"level":"(warn|error|fatal)"/);
    });
  }

  it('answered orders survive a kill -9, and are processed after a restart', async (t) => {
    const data = await folder(t);
    const flags = ['--threads', '0', '--drain', 'off'];
    const first = await startForebay(flags, { owner: t, data });
    const ids = await postAll(first.url, 300);
    await first.kill9();
    const handler = await ledgerHandler(t);
    const second = await startForebay(['--threads', '0', '--handler', handler.file], {
      owner: t,
      data,
    });
    await eventually('all are done', async () => (await metric(second, DONE)) === 300);
    assert.deepEqual((await handler.lines()).map(({ id }) => id).sort(), ids);
    assert.equal(await second.stop(), 0);
  });

  it('a shutdown under load answers or refuses each order, and loses no answered order', async (t) => {
    const data = await folder(t);
    const handler = await ledgerHandler(t);
    const flags = ['--threads', '0', '--handler', handler.file];
    const first = await startForebay(flags, { owner: t, data });
    const client = new OrderClient(first.url);
    const answering = client.postAll(names(3000));
    await eventually('it is under way', async () => (await metric(first, DONE)) > 0);
    assert.equal(await first.stop(), 0);
    const answers = await answering;
    client.close();
    const accepted = answers.filter(({ status }) => status === 200).map(({ id }) => id);
    const second = await startForebay(flags, { owner: t, data });
    const done = async () => new Set((await handler.lines()).map(({ id }) => id));
    await eventually('all are done', async () => {
      const ids = await done();
      return accepted.every((id) => ids.has(id));
    });
    assert.equal(await second.stop(), 0);
    for (const { status } of answers) assert.ok([200, 503, 0].includes(status), `${status}`);
  });

  it('a repeated idempotency key gets the first answer', async (t) => {
    const forebay = await startForebay(['--threads', '0'], { owner: t });
    const post = () =>
      fetch(`${forebay.url}/orders`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Idempotency-Key': 'k-1' },
        body: '{"product_id":"33","count":"3","username":"maksim.konovalov"}',
      });
    const [first, second] = [await post(), await post()];
    assert.equal(first.status, 200);
    assert.equal(second.headers.get('x-order-id'), first.headers.get('x-order-id'));
    const id = first.headers.get('x-order-id');
    const receipt = await fetch(`${forebay.url}/orders/${id}`);
    assert.equal(receipt.status, 200);
    assert.equal(await forebay.stop(), 0);
  });

  it('a port in use is refused with one line', async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    t.after(() => new Promise((resolve) => server.close(resolve)));
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const flags = ['--host', '127.0.0.1', '--port', `${port}`, '--data', await folder(t)];
    const { code, stderr } = await runForebay(['serve', '--threads', '0', ...flags]);
    assert.equal(code, 1);
    assert.match(stderr, /^forebay: port \d+ is in use on [^\n]*\n$/);
  });
});
