import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { mountLack, SmallDisk } from '../faults/mounts.js';
import { freePort } from '../support/free-port.js';
import { eventually, OrderClient } from '../support/orders.js';
import { logLines } from './log-lines.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));

type Output = 'pipe' | number;

/** A server with these stdout and stderr; ends with the test. */
async function serve(t: TestContext, output: Output) {
  const data = mkdtempSync(join(tmpdir(), 'forebay-deaf-'));
  const [port, adminPort] = [await freePort(), await freePort()];
  const args = [
    'serve',
    '--host',
    '127.0.0.1',
    '--port',
    `${port}`,
    '--admin-port',
    `${adminPort}`,
  ];
  const child = spawn(process.execPath, [MAIN, ...args, '--data', data], {
    stdio: ['ignore', output, output],
  });
  const exited = once(child, 'close').then(([code, signal]) => code ?? signal);
  t.after(async () => {
    child.kill('SIGKILL');
    await exited;
    rmSync(data, { recursive: true, force: true });
  });
  const isReady = async () => {
    assert.equal(child.exitCode ?? child.signalCode, null, 'it has ended');
    return (await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => null))?.ok === true;
  };
  /** The line that a full disk keeps back is on the live page. It is logged a moment after /readyz is 200. */
  const saysReady = async () => {
    if (!(await isReady())) return false;
    const { body } = await fetch(`http://127.0.0.1:${adminPort}/live`);
    let text = '';
    for await (const bytes of body!) {
      text += Buffer.from(bytes).toString();
      if (/event: log\n.*\n\n/.test(text)) break;
    }
    return text.includes('"event":"ready"');
  };
  return { child, exited, isReady, saysReady, url: `http://127.0.0.1:${port}` };
}

async function takesOrdersAndStops(server: Awaited<ReturnType<typeof serve>>): Promise<void> {
  await eventually('it is ready', server.isReady);
  const client = new OrderClient(server.url);
  for (const { status } of await client.postAll(['one', 'two'])) assert.equal(status, 200);
  client.close();
  server.child.kill('SIGTERM');
  assert.equal(await server.exited, 0);
}

describe('a server that cannot write its log keeps running', () => {
  it('when the disk of the log is full', async (t) => {
    const full = openSync('/dev/full', 'w');
    t.after(() => closeSync(full));
    await takesOrdersAndStops(await serve(t, full));
  });

  it('when its pipe is closed', async (t) => {
    const server = await serve(t, 'pipe');
    server.child.stdout!.destroy();
    server.child.stderr!.destroy();
    await takesOrdersAndStops(server);
  });

  it('and writes the lines once there is space', { skip: mountLack() ?? false }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'forebay-full-log-'));
    const disk = new SmallDisk({ after: (end) => t.after(end) }, folder, 1);
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(disk.path, 'log');
    const log = openSync(file, 'a');
    t.after(() => closeSync(log));
    disk.fill();
    const server = await serve(t, log);
    await eventually('it says that it is ready', server.saysReady);
    assert.equal(readFileSync(file, 'utf8'), '');
    disk.empty();
    server.child.kill('SIGTERM');
    assert.equal(await server.exited, 0);
    const events = logLines(readFileSync(file, 'utf8')).map(({ event }) => event);
    assert.ok(events.includes('ready') && events.includes('stopped'), events.join());
  });
});

it('the ready line comes after the event, for programs that wait for it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-one-file-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'log');
  const both = openSync(file, 'a');
  t.after(() => closeSync(both));
  const server = await serve(t, both);
  const text = () => readFileSync(file, 'utf8');
  await eventually('both are written', () =>
    [/^forebay ready:/m, /"event":"ready"/].every((line) => line.test(text())),
  );
  assert.match(text(), /"event":"ready"[\s\S]*^forebay ready:/m);
  server.child.kill('SIGTERM');
  assert.equal(await server.exited, 0);
});
