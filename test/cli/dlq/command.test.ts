import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runForebay } from '../../support/forebay.js';
import { freePort } from '../../support/free-port.js';
import { NatsServer } from '../../support/nats.js';
import { runDlq } from './in-process.js';

const MAIN = fileURLToPath(new URL('../../../src/main.js', import.meta.url));

describe('dlq without a journal', () => {
  it('creates no journal, and says which options name one', async (t) => {
    const data = await mkdtemp(join(tmpdir(), 'forebay-dlq-'));
    t.after(() => rm(data, { recursive: true, force: true }));
    for (const folder of [data, join(data, 'no-such')]) {
      const { code, stdout, stderr } = await runDlq(['list', '--data', folder]);
      assert.equal(code, 1);
      assert.equal(stdout, '');
      assert.match(stderr, /^forebay: data folder .* holds no journal: .*--data.*--nats\n$/);
    }
    assert.deepEqual(await readdir(data), []);
  });

  it('NATS does not answer: one line', async () => {
    const url = `nats://127.0.0.1:${await freePort()}`;
    for (const command of [['list'], ['replay', '--all'], ['drop', 'x-1']]) {
      const { code, stdout, stderr } = await runDlq([...command, '--nats', url]);
      assert.equal(code, 1);
      assert.equal(stdout, '');
      assert.match(stderr, /^forebay: NATS at nats:[^\n]*\n$/);
    }
  });

  it('NATS frozen: one line', async (t) => {
    const nats = await NatsServer.start();
    t.after(() => nats.stop());
    nats.freeze();
    const { code, stderr } = await runDlq(['list', '--nats', nats.url]);
    assert.equal(code, 1);
    assert.match(stderr, /^forebay: NATS at nats:[^\n]*\n$/);
  });

  it('Ctrl-C ends it at once while it waits for NATS', async (t) => {
    const silent = createServer().listen(0, '127.0.0.1');
    t.after(() => silent.close());
    await once(silent, 'listening');
    const url = `nats://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const child = spawn(process.execPath, [MAIN, 'dlq', 'list', '--nats', url]);
    t.after(() => void child.kill('SIGKILL'));
    const ended = once(child, 'exit');
    await once(silent, 'connection');
    child.kill('SIGINT');
    assert.deepEqual(await ended, [null, 'SIGINT']);
  });

  it('NATS without the stream: its name in one line, and no stream is created', async (t) => {
    const nats = await NatsServer.start();
    t.after(() => nats.stop());
    for (let i = 0; i < 2; i++) {
      const args = ['list', '--nats', nats.url, '--nats-stream', 'OTHER'];
      const { code, stderr } = await runDlq(args);
      assert.equal(code, 1);
      assert.match(stderr, /^forebay: NATS has no stream OTHER: .*--nats-stream\n$/);
    }
  });
});

describe('arguments of dlq', () => {
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /missing subcommand; use one of list, show, replay, drop/],
    [['lst'], /unknown subcommand lst; use one of list/],
    [['list', '--prot', '3'], /dlq list: .*--prot.*; accepted options: --data, --nats/],
    [['list', '--limit', '0'], /--limit 0: must be a whole number from 1/],
    [['list', '--dry-run'], /dlq list: .*--dry-run/],
    [['list', 'x-1'], /use dlq show/],
    [['show'], /expected exactly one order id/],
    [['show', 'x-1', 'x-2'], /expected exactly one order id/],
    [['show', ''], /is not an order id/],
    [['replay'], /select dead letters by .*--all.*--reason/],
    [['replay', '--all', 'x-1'], /exactly one of these/],
    [['replay', '--all', '--reason', 'x'], /exactly one of these/],
    [['replay', '--all', '--rate', '1.5'], /--rate 1.5: must be a whole number/],
    [['replay', '--all', '--yes'], /dlq replay: .*--yes/],
    [['drop', '--all'], /--yes/],
    [['list', '--nats', 'not a url'], /--nats "not a url" \(command line\): must be/],
  ];
  for (const [args, line] of wrong) {
    it(`dlq ${args.join(' ')}: refused in one line, with exit code 2`, async () => {
      const { code, stdout, stderr } = await runDlq(args);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, /^forebay: [^\n]*\n$/);
      assert.match(stderr, line);
    });
  }

  it('the command itself ends the same way', async () => {
    const { code, stdout, stderr } = await runForebay(['dlq', 'show']);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /^forebay: dlq show: expected exactly one order id[^\n]*\n$/);
  });

  it('the journal also comes from the environment and from the options file of the server', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'forebay-dlq-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const byEnvironment = await runDlq(['list'], { FOREBAY_DATA: join(folder, 'a') });
    assert.match(byEnvironment.stderr, /data folder .*\/a holds no journal/);
    const config = join(folder, 'options.json');
    await writeFile(config, JSON.stringify({ port: 8080, data: join(folder, 'b') }));
    const byFile = await runDlq(['list', '--config', config]);
    assert.match(byFile.stderr, /data folder .*\/b holds no journal/);
  });

  it('help fits a screen', async () => {
    const { code, stdout } = await runForebay(['dlq', '--help']);
    assert.equal(code, 0);
    const lines = stdout.split('\n');
    assert.ok(lines.length <= 40, `${lines.length} lines`);
    for (const line of lines) assert.ok(line.length <= 100, line);
    for (const flag of ['--dry-run', '--rate', '--reason', '--yes', '--json', '--limit']) {
      assert.ok(stdout.includes(flag), flag);
    }
  });
});
