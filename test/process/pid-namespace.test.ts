import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { claimPid } from '../../src/process/pid-lock.js';
import { startForebay } from '../support/forebay.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const HOLD = fileURLToPath(new URL('hold-pid.js', import.meta.url));
/** Every process is number 1 in its namespace, as in a container. */
const UNSHARE = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'] as const;
const canUnshare = spawnSync(UNSHARE[0], [...UNSHARE.slice(1), 'true']).status === 0;
const skip = !canUnshare && 'unshare --pid is not permitted here';

interface Contained {
  readonly ready: Promise<void>;
  readonly ended: Promise<{ code: number | null; output: string }>;
  readonly kill: () => void;
}

function contained(t: TestContext, args: readonly string[], until = /^/): Contained {
  const [command, ...flags] = UNSHARE;
  const child = spawn(command, [...flags, process.execPath, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  let output = '';
  const ready = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (until.test(output)) resolve();
      });
    }
    void closed.then(() => resolve());
  });
  t.after(async () => {
    child.kill('SIGKILL');
    await closed;
  });
  const ended = closed.then(([code]) => ({ code: code as number | null, output }));
  return { ready, ended, kill: () => child.kill('SIGKILL') };
}

function serveIn(t: TestContext, data: string): Contained {
  const ports = ['--host', '127.0.0.1', '--port', '0', '--admin-port', '0'];
  return contained(t, [MAIN, 'serve', '--data', data, ...ports], /forebay ready/);
}

function dataFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-pid-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const ONE_LINE = /^forebay: data folder .* in another container .* same process id, 1, .*\n$/;

describe('two processes with the same id, in containers that share the data folder', {
  skip,
}, () => {
  it('a command beside a server: one line, and the server goes on', async (t) => {
    const data = dataFolder(t);
    const server = serveIn(t, data);
    await server.ready;
    for (const args of [['list'], ['replay', '--all'], ['drop', '--all', '--yes']]) {
      const { code, output } = await contained(t, [MAIN, 'dlq', ...args, '--data', data]).ended;
      assert.equal(code, 1);
      assert.match(output, ONE_LINE);
    }
    const target = join(dataFolder(t), 'backup');
    const backup = await contained(t, [MAIN, 'backup', target, '--data', data]).ended;
    assert.match(backup.output, ONE_LINE);
    const check = await contained(t, [MAIN, 'check', '--data', data, '--port', '0']).ended;
    assert.equal(check.code, 0, check.output);
    assert.match(check.output, /warn {2}journal .*not read: .*same process id, 1,/);
    // A process with an id of its own works beside it.
    const list = spawnSync(process.execPath, [MAIN, 'dlq', 'list', '--data', data]);
    assert.equal(list.status, 0, String(list.stderr));
  });

  it('a server beside a command that does not end: one line', async (t) => {
    const data = dataFolder(t);
    await new LocalStore(data).close();
    await contained(t, [HOLD, data], /held/).ready;
    const { code, output } = await serveIn(t, data).ended;
    assert.equal(code, 1);
    assert.match(output, ONE_LINE);
  });

  it('a server beside a command that ends: the server waits for it', async (t) => {
    const data = dataFolder(t);
    await new LocalStore(data).close();
    const command = contained(t, [HOLD, data, '1000'], /held/);
    await command.ready;
    const server = serveIn(t, data);
    await server.ready;
    assert.equal((await command.ended).code, 0);
    const list = spawnSync(process.execPath, [MAIN, 'dlq', 'list', '--data', data]);
    assert.equal(list.status, 0, String(list.stderr));
  });
});

describe('the claim of a process id', () => {
  it('is shared within a process, and leaves nothing behind', async (t) => {
    const data = dataFolder(t);
    const [one, other] = [await claimPid(data), await claimPid(data)];
    assert.deepEqual(readdirSync(data), [`pid-${process.pid}.sock`]);
    await one();
    assert.deepEqual(readdirSync(data), [`pid-${process.pid}.sock`]);
    await other();
    assert.deepEqual(readdirSync(data), []);
  });

  it('of a process that was killed does not hinder the next start, which removes it', async (t) => {
    const data = dataFolder(t);
    const killed = await startForebay([], { owner: t, data });
    await killed.kill9();
    assert.ok(readdirSync(data).includes(`pid-${killed.pid}.sock`));
    const next = await startForebay([], { owner: t, data });
    assert.deepEqual(
      readdirSync(data).filter((name) => name.startsWith('pid-')),
      [`pid-${next.pid}.sock`],
    );
    assert.equal(await next.stop(), 0);
  });
});
