import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startForebay } from '../support/forebay.js';
import { freePort } from '../support/free-port.js';
import { NatsServer } from '../support/nats.js';
import { eventually, metric, OrderClient } from '../support/orders.js';
import { count, linesMax, logLines } from './log-lines.js';

/** What no log line may contain. */
const USERNAME = 'quetzalcoatl.42';
const PASSWORD = 'hunter2-nobody-reads-this';

async function handlerFile(t: TestContext, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'forebay-log-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'handler.mjs');
  await writeFile(file, text.replaceAll('CALLS', JSON.stringify(join(folder, 'calls'))));
  return file;
}

function holdsNothingSecret(text: string): void {
  assert.ok(!text.includes(USERNAME), text);
  assert.ok(!text.includes(PASSWORD), text);
}

describe('the log of a server whose handler fails', () => {
  it('logs repeated throws a limited number of count, with count and place, without the order', async (t) => {
    const file = await handlerFile(
      t,
      `import { appendFileSync } from 'node:fs';
       export default function shop(orders) {
         appendFileSync(CALLS, '.');
         throw new TypeError('refused: ' + JSON.stringify(orders[0].data) + '\\n    at ' + orders[0].data.username);
       }`,
    );
    const flags = ['--handler', file, '--retry-ms-min', '1', '--retry-ms-max', '20'];
    const startedMs = performance.now();
    const forebay = await startForebay([...flags, '--attempts-max', '20'], { owner: t });
    const client = new OrderClient(forebay.url);
    await client.postAll(Array.from({ length: 50 }, () => USERNAME));
    client.close();
    await eventually(
      'all are dead',
      async () => (await metric(forebay, 'forebay_dead_total')) >= 50,
    );
    assert.equal(await forebay.stop(), 0);
    const lines = logLines(forebay.stderr);
    const threw = lines.filter(({ event }) => event === 'handler-threw');
    assert.ok(threw.length >= 1 && threw.length <= linesMax(performance.now() - startedMs));
    assert.match(threw[0]!.msg, /threw TypeError at shop \(file:.*handler\.mjs:4:\d+\)/);
    const calls = readFileSync(join(file, '..', 'calls'), 'utf8').length;
    assert.ok(calls >= 50 * 20);
    assert.equal(count(lines, 'handler-threw'), calls);
    holdsNothingSecret(forebay.stderr);
  });

  it('logs the death of a pool thread without the message of its error', async (t) => {
    const file = await handlerFile(
      t,
      `export default async function shop(orders) {
         setTimeout(() => { throw new Error('stray ' + orders[0].data.username); }, 1);
         await new Promise((resolve) => setTimeout(resolve, 50));
       }`,
    );
    const flags = ['--handler', file, '--attempts-max', '2', '--retry-ms-min', '1'];
    const forebay = await startForebay([...flags, '--retry-ms-max', '5'], { owner: t });
    const client = new OrderClient(forebay.url);
    await client.post(USERNAME);
    client.close();
    await eventually('it is dead', async () => (await metric(forebay, 'forebay_dead_total')) >= 1);
    assert.equal(await forebay.stop(), 0);
    assert.ok(count(logLines(forebay.stderr), 'handler-thread-died') >= 1, forebay.stderr);
    holdsNothingSecret(forebay.stderr);
  });

  it('logs an unavailable PostgreSQL without its password', async (t) => {
    const url = `postgres://clerk:${PASSWORD}@127.0.0.1:${await freePort()}/shop`;
    const flags = ['--handler', 'postgres', '--postgres-url', url];
    const forebay = await startForebay(flags, { owner: t });
    const client = new OrderClient(forebay.url);
    assert.equal((await client.post(USERNAME)).status, 200);
    client.close();
    await eventually('it is told', () => forebay.stderr.includes('handler-away'));
    assert.equal(await forebay.stop(), 0);
    const away = logLines(forebay.stderr).find(({ event }) => event === 'handler-away');
    assert.match(away!.msg, /PostgreSQL clerk@127\.0\.0\.1:\d+\/shop/);
    holdsNothingSecret(forebay.stderr);
  });
});

describe('the log of a server whose NATS comes and goes', () => {
  it('logs it a limited number of count, without the password of its URL', async (t) => {
    const nats = await NatsServer.start();
    t.after(() => nats.stop());
    const url = nats.url.replace('//', `//clerk:${PASSWORD}@`);
    const startedMs = performance.now();
    const forebay = await startForebay(['--nats', url], { owner: t });
    const client = new OrderClient(forebay.url);
    // It may be ready before it has reached NATS.
    await eventually(
      'NATS is reached',
      async () => !(await ready(forebay.adminUrl)).includes('degraded'),
    );
    for (let i = 0; i < 4; i++) {
      await nats.kill();
      await eventually('it is seen', async () =>
        (await ready(forebay.adminUrl)).includes('degraded'),
      );
      assert.equal((await client.post(USERNAME)).status, 200);
      await nats.start();
      await eventually(
        'it is back',
        async () => !(await ready(forebay.adminUrl)).includes('degraded'),
      );
    }
    client.close();
    assert.equal(await forebay.stop(), 0);
    const lines = logLines(forebay.stderr);
    const ms = performance.now() - startedMs;
    for (const event of ['journal-down', 'journal-up'] as const) {
      assert.ok(count(lines, event) >= 4, `${event}\n${forebay.stderr}`);
      const told = lines.filter((line) => line.event === event).length;
      assert.ok(told <= linesMax(ms), `${told} lines of ${event} in ${ms} ms`);
    }
    holdsNothingSecret(forebay.stderr);
  });
});

describe('the format of the log', () => {
  const start = async (t: TestContext, ...flags: string[]) => {
    const forebay = await startForebay(flags, { owner: t });
    assert.equal(await forebay.stop(), 0);
    // Temporary folders can be in memory.
    return forebay.stderr.replace(/^.*data-folder-risk.*\n/m, '');
  };

  it('is JSON if stderr is not a terminal, from ready to stopped', async (t) => {
    const lines = logLines(await start(t));
    const events = lines.map(({ event }) => event);
    assert.deepEqual(events, ['http-engine', 'ready', 'stopping', 'stopped']);
    assert.equal((lines[1] as { node?: string }).node, process.version);
  });

  it('is text with --log-format pretty, without colours if stderr is not a terminal', async (t) => {
    const lines = (await start(t, '--log-format', 'pretty')).trimEnd().split('\n');
    assert.equal(lines.length, 4);
    for (const line of lines) assert.match(line, /^\d\d:\d\d:\d\d info {2}[a-z-]+ /);
  });

  it('is text on a terminal, and JSON with --log-format json', async (t) => {
    if (spawnSync('script', ['--version']).status !== 0) {
      t.skip('script, of util-linux, is missing');
      return;
    }
    const pretty = await onTerminal(t, []);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
    assert.match(pretty, /\d\d:\d\d:\d\d\x1b\[0m \x1b\[36minfo \x1b\[0m .*ready/);
    assert.match(await onTerminal(t, ['--log-format', 'json']), /^\{"level":"info",.*"ready"/m);
  });
});

/** The output of a server on a terminal, from its start to its ready event. */
async function onTerminal(t: TestContext, flags: readonly string[]): Promise<string> {
  const data = await mkdtemp(join(tmpdir(), 'forebay-log-'));
  t.after(() => rm(data, { recursive: true, force: true }));
  const main = fileURLToPath(new URL('../../src/main.js', import.meta.url));
  const ports = '--host 127.0.0.1 --port 0 --admin-port 0 --shutdown-ms-max 5000';
  const serve = `exec '${process.execPath}' '${main}' serve ${ports} --data '${data}' ${flags.join(' ')}`;
  // In case the test does not end it.
  const command = `timeout --signal=KILL 60 sh -c "${serve}"`;
  const terminal = spawn('script', ['-qefc', command, '/dev/null'], {
    env: { ...process.env, TERM: 'xterm', NO_COLOR: '', FORCE_COLOR: '1' },
  });
  const ended = once(terminal, 'close');
  let shown = '';
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    if (shown.includes('the server accepts orders')) terminal.kill('SIGTERM');
  });
  await ended;
  return shown;
}

async function ready(adminUrl: string): Promise<string> {
  return (await fetch(`${adminUrl}/readyz`)).text();
}
