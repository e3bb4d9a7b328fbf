import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { HANG_MS_MAX } from '../support/deadline.js';
import { runForebay, startForebay } from '../support/forebay.js';
import { freePort } from '../support/free-port.js';
import { NatsServer } from '../support/nats.js';
import { eventually, metric, OrderClient } from '../support/orders.js';

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'forebay-'));
  t.after(() => rm(made, { recursive: true, force: true }));
  return made;
}

/** Runs a server that must not start. @returns the only line on stderr */
async function refusal(t: TestContext, flags: string[], exitCode: number): Promise<string> {
  const ports = ['--host', '127.0.0.1', '--port', '0', '--admin-port', '0'];
  const { code, stderr } = await runForebay([
    ...['serve', ...ports, '--data', await folder(t)],
    ...flags,
  ]);
  const lines = stderr
    .trim()
    .split('\n')
    .filter((line) => !line.startsWith('{'));
  assert.equal(lines.length, 1, stderr);
  assert.match(lines[0]!, /^forebay: /);
  assert.equal(code, exitCode, stderr);
  return lines[0]!;
}

describe('the start is refused with one line', () => {
  it('for an unknown option', async (t) => {
    assert.match(await refusal(t, ['--prot', '80'], 2), /--prot.*--port/);
  });

  it('for a value out of range', async (t) => {
    assert.match(await refusal(t, ['--workers', '0'], 2), /--workers.*0.*1/);
  });

  for (const [what, url] of [
    ['a password with a bare %', 'nats://shop:s3cret%zz@127.0.0.1:4222'],
    ['a port beyond 65535', 'nats://shop:s3cret@127.0.0.1:99999'],
  ] as const) {
    it(`for a NATS URL with ${what}, without its password`, async (t) => {
      const line = await refusal(t, ['--nats', `nats://127.0.0.1:4222,${url}`], 2);
      assert.match(line, /--nats: URL 2 cannot be read: .*%25/);
      assert.doesNotMatch(line, /s3cret/);
    });
  }

  it('for an unknown subcommand', async () => {
    const { code, stderr } = await runForebay(['sevre']);
    assert.equal(code, 2);
    assert.match(stderr, /^forebay: .*sevre.*\n$/);
  });

  it('for a missing handler file', async (t) => {
    const line = await refusal(t, ['--handler', './nowhere.mjs'], 2);
    assert.match(
      line,
      /nowhere\.mjs: there is no such file; fix: name simulate, postgres or a file that exists/,
    );
  });

  it('for a handler that is a folder', async (t) => {
    const line = await refusal(t, ['--handler', await folder(t)], 2);
    assert.match(line, /: it is a folder; fix: name a file in it, such as shop\.mjs/);
  });

  it('for a data folder that is a file', async (t) => {
    const file = join(await folder(t), 'data');
    await writeFile(file, '');
    const line = await refusal(t, ['--data', file], 1);
    assert.match(
      line,
      /data folder .*: .* is a file, not a folder; move it away, or name another folder with --data/,
    );
  });

  const write = 'fix: write export default async function handle\\(orders, context\\)';
  const correct = 'fix: correct the module, or name another';
  for (const [what, text, why] of [
    [
      'without a default export',
      'export const handle = () => {};',
      `no default export, only handle; ${write}`,
    ],
    ['whose default export is no function', 'export default 3;', `is 3, not a function; ${write}`],
    [
      'that throws when it is loaded',
      'throw new Error("no database");',
      `:1:7: Error: no database; ${correct}`,
    ],
    [
      'that is not JavaScript',
      'export default function {',
      `:1:25: SyntaxError: Unexpected token '{'; ${correct}`,
    ],
    [
      'that ends its thread when it is loaded',
      'process.exit(3);',
      `process\\.exit\\(3\\) while it was loaded; ${correct}`,
    ],
  ] as const) {
    it(`for a handler file ${what}`, async (t) => {
      const file = join(await folder(t), 'handler.mjs');
      await writeFile(file, text);
      const line = await refusal(t, ['--handler', file], 2);
      assert.match(line, new RegExp(`handler\\.mjs: .*${why}`));
    });
  }

  it('for a port that another program uses', async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    t.after(() => new Promise((resolve) => server.close(resolve)));
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    assert.match(
      await refusal(t, ['--port', String(port)], 1),
      new RegExp(`port ${port} is in use`),
    );
    assert.match(await refusal(t, ['--admin-port', String(port)], 1), new RegExp(`${port}`));
  });

  it('for a port that another Forebay uses, which Linux would share without an error', async (t) => {
    const forebay = await startForebay([], { owner: t });
    const { port } = new URL(forebay.url);
    assert.match(await refusal(t, ['--port', port], 1), new RegExp(`port ${port} is in use`));
    assert.equal(await forebay.stop(), 0);
  });

  it('for one of two that start on the same port at the same time', async (t) => {
    const port = String(await freePort());
    const starts = await Promise.allSettled(
      [1, 2, 3].map(() => startForebay(['--port', port], { owner: t })),
    );
    const started = starts.filter((start) => start.status === 'fulfilled');
    assert.equal(started.length, 1);
    assert.equal(await started[0]!.value.stop(), 0);
  });

  it('for a data folder that another Forebay uses', async (t) => {
    const forebay = await startForebay([], { owner: t });
    assert.match(await refusal(t, ['--data', forebay.data], 1), /data folder .* is in use/);
    assert.equal(await forebay.stop(), 0);
  });

  it('for a data folder that a Forebay in another network namespace uses', async (t) => {
    if (process.getuid?.() !== 0) {
      t.skip('only root can make a network namespace');
      return;
    }
    const forebay = await startForebay([], { owner: t });
    const main = fileURLToPath(new URL('../../src/main.js', import.meta.url));
    const command = ['-n', process.execPath, main, 'serve', '--data', forebay.data];
    const { status, stderr } = spawnSync(
      'unshare',
      [...command, '--port', '0', '--admin-port', '0'],
      {
        encoding: 'utf8',
        timeout: HANG_MS_MAX,
        killSignal: 'SIGKILL',
      },
    );
    assert.match(stderr, /data folder .* is in use/);
    assert.equal(status, 1);
    assert.equal(await forebay.stop(), 0);
  });

  it('but not for a data folder with a lock left by a kill -9', async (t) => {
    const data = await folder(t);
    await (await startForebay([], { owner: t, data })).kill9();
    assert.equal(await (await startForebay([], { owner: t, data })).stop(), 0);
  });

  it('for a data folder that cannot be created', async (t) => {
    const file = join(await folder(t), 'file');
    await writeFile(file, '');
    assert.match(await refusal(t, ['--data', join(file, 'data')], 1), /data folder .*--data/);
  });
});

describe('NATS does not answer at the start', () => {
  it('with a spool: orders go to the spool, /readyz reports it, and NATS gets them later', async (t) => {
    const nats = await NatsServer.prepare();
    t.after(() => nats.stop());
    const forebay = await startForebay(['--nats', nats.url], { owner: t });
    const client = new OrderClient(forebay.url);
    t.after(async () => client.close());
    assert.equal((await client.post('early')).status, 200);
    const ready = await fetch(`${forebay.adminUrl}/readyz`);
    assert.equal(ready.status, 200);
    assert.ok((await ready.text()).includes(nats.url.slice('nats://'.length)));
    assert.match(forebay.stderr, /orders go to the spool until it does/);
    const durability = 'forebay_durability_info{class="spool",replicas="1"}';
    assert.equal(await metric(forebay, durability), 1);

    await nats.start();
    await eventually(
      'the order is done',
      async () => (await metric(forebay, 'work_done_total{status="done"}')) === 1,
    );
    // Counted once the spool has noted it, which can be after the order is done.
    await eventually(
      'the spool counts it',
      async () => (await metric(forebay, 'forebay_spool_forwarded_orders_total')) === 1,
    );
    assert.equal((await client.post('late')).status, 200);
    await eventually('all threads have their connection', async () => {
      const answer = await fetch(`${forebay.adminUrl}/readyz`);
      return (await answer.text()) === '{"status":"ready"}';
    });
    assert.equal(await forebay.stop(), 0);
  });

  it('without a spool: it waits, /readyz has the reason, and clients get 503', async (t) => {
    const nats = await NatsServer.prepare();
    t.after(() => nats.stop());
    const [port, adminPort] = [await freePort(), await freePort()];
    const ports = ['--port', `${port}`, '--admin-port', `${adminPort}`];
    const flags = ['--nats', nats.url, '--spool-orders-max', '0', ...ports];
    const starting = startForebay(flags, { owner: t });
    const client = new OrderClient(`http://127.0.0.1:${port}`);
    t.after(async () => client.close());
    await eventually('it answers 503', async () => (await client.post('early')).status === 503);
    const ready = await fetch(`http://127.0.0.1:${adminPort}/readyz`);
    assert.equal(ready.status, 503);
    assert.ok((await ready.text()).includes(nats.url.slice('nats://'.length)));
    await nats.start();
    await starting;
    assert.equal((await client.post('late')).status, 200);
    assert.equal((await fetch(`http://127.0.0.1:${adminPort}/readyz`)).status, 200);
    assert.equal(await (await starting).stop(), 0);
  });

  it('a stream with other settings is not changed: one line and exit code 2', async (t) => {
    const nats = await NatsServer.start();
    t.after(() => nats.stop());
    const nc = await connect({ servers: nats.url });
    const jsm = await jetstreamManager(nc);
    await jsm.streams.add({ name: 'FOREBAY', subjects: ['other.>'], max_msgs: 7 });
    const line = await refusal(t, ['--nats', nats.url], 2);
    assert.match(line, /FOREBAY/);
    const { config } = await jsm.streams.info('FOREBAY');
    assert.deepEqual([config.subjects, config.max_msgs], [['other.>'], 7]);
    await nc.close();
  });
});
