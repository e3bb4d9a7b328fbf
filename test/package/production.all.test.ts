import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ROOT } from '../monitoring/rule-files.js';
import { eventually } from '../support/orders.js';
import { PLAIN_ENV } from './packed.js';

/** A copy of the files that git knows, as a clone has them. */
function clone(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-clone-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { stdout } = spawnSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' });
  for (const file of stdout.split('\0').filter((name) => name !== '')) {
    cpSync(join(ROOT, file), join(folder, file));
  }
  return folder;
}

const ENV = { ...PLAIN_ENV, npm_config_prefer_offline: 'true' };

function npm(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv): string {
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd, env, encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
  return stdout + stderr;
}

/** `npm start`, until it is ready; then it is stopped. @returns what it printed */
async function start(t: TestContext, cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
  const flags = ['--host', '127.0.0.1', '--port', '0', '--admin-port', '0', '--data', 'data'];
  const child = spawn('npm', ['start', '--', ...flags], { cwd, env });
  t.after(() => child.kill('SIGKILL'));
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  const closed = once(child, 'close');
  await eventually('it is ready', () => {
    assert.equal(child.exitCode, null, said);
    return said.includes('forebay ready');
  });
  child.kill('SIGTERM');
  const [code] = (await closed) as [number | null];
  assert.equal(code, 0, said);
  return said;
}

describe('a clone where development packages are left out', () => {
  for (const [what, args, more] of [
    ['NODE_ENV=production', [], { NODE_ENV: 'production' }],
    ['npm ci --omit=dev', ['--omit=dev'], {}],
    ['npm_config_production', [], { npm_config_production: 'true' }],
  ] as const) {
    it(`npm ci and npm start work: ${what}`, async (t) => {
      const folder = clone(t);
      const env = { ...ENV, ...more };
      npm(folder, ['ci', ...args], env);
      await start(t, folder, env);
    });
  }

  it('starts what was built when the compiler is gone, and else says what to type', async (t) => {
    const folder = clone(t);
    npm(folder, ['ci'], ENV);
    npm(folder, ['run', 'build:package'], ENV);
    npm(folder, ['prune', '--omit=dev', '--include=prod', '--ignore-scripts'], ENV);
    await start(t, folder, ENV);
    rmSync(join(folder, 'dist'), { recursive: true });
    const { status, stderr } = spawnSync('npm', ['start'], {
      cwd: folder,
      env: ENV,
      encoding: 'utf8',
    });
    assert.equal(status, 1);
    assert.match(stderr, /^forebay: not built, .* npm ci$/m);
  });
});
