import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { withDeadline } from '../support/deadline.js';
import { SEVERAL_THREADS } from '../support/http-engine.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));

/** Signals the process as its thread with this number is started, and tells how many threads it has at its end. */
const watch = (thread: number) => `
  import { isMainThread } from 'node:worker_threads';
  if (isMainThread) {
    let started = 0;
    let running = 0;
    process.on('worker', (worker) => {
      running++;
      worker.on('exit', () => running--);
      if (++started === ${thread}) process.kill(process.pid, 'SIGTERM');
    });
    process.on('exit', () => process.stdout.write('left ' + running));
  }`;

/** A thread that is ended while it loads or runs native code can take the process down with it. */
describe('a server that gets a signal', () => {
  for (const [thread, what, threads] of [
    [1, 'the drain thread', '1'],
    [2, 'the intake threads', SEVERAL_THREADS],
    [1, 'the drain thread, of --threads 0', '0'],
  ] as const) {
    it(`while it starts ${what} ends when its threads have`, async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'forebay-opening-'));
      const hook = `--import=data:text/javascript,${encodeURIComponent(watch(thread))}`;
      const flags = ['--host', '127.0.0.1', '--port', '0', '--admin-port', '0'];
      const more = ['--data', join(folder, 'data'), '--threads', threads];
      const server = spawn(process.execPath, [hook, MAIN, 'serve', ...flags, ...more], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const exited = once(server, 'close');
      t.after(async () => {
        server.kill('SIGKILL');
        await exited;
        rmSync(folder, { recursive: true, force: true });
      });
      let output = '';
      for (const stream of [server.stdout, server.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += text;
        });
      }
      const [code] = await withDeadline(exited, () => `it ends\n${output}`);
      assert.equal(code, 0, output);
      assert.match(output, /left 0$/);
      assert.match(output, /"event":"stopping"[\s\S]*"event":"stopped"/);
    });
  }
});
