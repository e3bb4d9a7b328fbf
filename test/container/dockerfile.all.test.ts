import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pageFiles } from '../../src/admin/page-files.js';
import { ROOT } from '../monitoring/rule-files.js';
import { freePort } from '../support/free-port.js';
import { eventually, OrderClient } from '../support/orders.js';
import { toolPath } from '../support/program.js';
import { NativeImage } from './image.js';

describe('the Dockerfile', () => {
  it('leaves hadolint nothing to say', async (t) => {
    let program: string;
    try {
      program = await toolPath('hadolint');
    } catch (error) {
      return t.skip((error as Error).message);
    }
    const run = spawnSync(program, ['--no-color', 'Dockerfile'], { cwd: ROOT, encoding: 'utf8' });
    assert.equal(run.stdout + run.stderr, '');
    assert.equal(run.status, 0);
  });

  it('copies all that the server needs, and starts and stops it as the user it names', async (t) => {
    const image = new NativeImage();
    t.after(() => image.remove());
    image.build();
    const app = join(image.root, 'app');
    for (const left of [
      'src/main.ts',
      'src/admin/page/main.ts',
      'scripts',
      'k6',
      'dist/k6',
      'dist/drills',
      'dist/test',
      'node_modules/typescript',
    ]) {
      assert.ok(!existsSync(join(app, left)), `${left} has no place in the image`);
    }
    const command = (...args: string[]) =>
      spawnSync(image.node, ['dist/src/main.js', ...args], { cwd: app, encoding: 'utf8' });
    const commands = Array.from(
      command('--help').stdout.matchAll(/^ +forebay ([a-z]+)/gm),
      ([, name]) => name!,
    );
    assert.ok(commands.includes('wave'));
    for (const name of commands) {
      const { status, stderr } = command(name, '--help');
      const isDrill = ['wave', 'story', 'prove'].includes(name);
      if (isDrill) assert.match(stderr, /is not part of this installation/);
      else assert.equal(status, 0, `${name}: ${stderr}`);
    }
    const adminPort = await freePort();
    const env = {
      PATH: process.env.PATH ?? '',
      ...image.env(),
      FOREBAY_HOST: '127.0.0.1',
      FOREBAY_PORT: `${await freePort()}`,
      FOREBAY_ADMIN_HOST: '127.0.0.1',
      FOREBAY_ADMIN_PORT: `${adminPort}`,
    };
    const isRoot = process.getuid?.() === 0;
    const user = isRoot ? { uid: image.user, gid: image.user } : {};
    const [program, ...args] = image.command();
    assert.equal(program, 'node');
    const server = spawn(image.node, args, { cwd: app, env, stdio: 'pipe', ...user });
    t.after(() => server.kill('SIGKILL'));
    let said = '';
    for (const stream of [server.stdout, server.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    }
    const exited = once(server, 'exit');
    const health = () => {
      const [, ...check] = image.healthcheck();
      return spawnSync(image.node, check, { cwd: app, env, encoding: 'utf8', ...user });
    };
    await eventually('it is ready', () => {
      assert.equal(server.exitCode, null, said);
      return said.includes('forebay ready');
    });
    assert.equal(health().status, 0, health().stdout);
    const admin = `http://127.0.0.1:${adminPort}`;
    for (const [path, { type }] of pageFiles) {
      const file = await fetch(admin + path);
      assert.equal(file.status, 200, `${path}: ${await file.text()}`);
      assert.equal(file.headers.get('content-type'), type);
    }
    const client = new OrderClient(`http://127.0.0.1:${env.FOREBAY_PORT}`);
    t.after(() => client.close());
    assert.equal((await client.post('ada')).status, 200);
    // What `docker stop` sends to process 1.
    server.kill('SIGTERM');
    const [code] = (await exited) as [number | null];
    assert.equal(code, 0, said);
    const gone = health();
    assert.equal(gone.status, 1);
    assert.match(gone.stdout, /no answer on port/);
  });
});
