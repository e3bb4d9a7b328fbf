import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { freePort } from '../support/free-port.js';
import { eventually, OrderClient } from '../support/orders.js';
import { PackedForebay, PLAIN_ENV, ROOT, run } from './packed.js';

const TSC = join(ROOT, 'node_modules', '.bin', 'tsc');

const forebay = new PackedForebay();
before(() => {
  forebay.pack();
  forebay.install();
});
after(() => forebay.remove());

interface Program {
  readonly child: ChildProcess;
  /** What it has printed. */
  readonly text: () => string;
  readonly exited: Promise<number | null>;
}

function start(
  t: TestContext,
  program: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Program {
  // A group of its own: what a shell has left behind ends with it.
  const child = spawn(program, args, { cwd, env: { ...PLAIN_ENV, ...env }, detached: true });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  t.after(() => {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {
      // All of it has ended.
    }
  });
  const exited = once(child, 'close').then(([code]) => code as number | null);
  return { child, text: () => text, exited };
}

async function post(port: number, count = '3'): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ product_id: '33', count, username: 'ada' }),
  });
  return response.status;
}

/** What a file holds, parsed line by line; nothing while it does not exist. */
function lines(file: string): Record<string, unknown>[] {
  try {
    return readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  } catch {
    return [];
  }
}

describe('the tarball', () => {
  it('has what runs', () => {
    for (const file of [
      'LICENSE',
      'README.md',
      'package.json',
      'dist/src/main.js',
      'dist/src/index.js',
      'dist/src/index.d.ts',
      'dist/workers/intake/thread.js',
      'dist/workers/pool/entry.cjs',
      'dist/workers/pool/thread.js',
      'dist/drills/wave/command.js',
      'dist/drills/prove/command.js',
      'dist/drills/story/command.js',
      'dist/k6/lib/sine.js',
      'dist/node_modules/lmdb/node-index.js',
      'dist/node_modules/lmdb/LICENSE',
      'k6/sine.js',
      'src/admin/page/index.html',
    ]) {
      assert.ok(forebay.files.includes(file), file);
    }
  });

  it('has nothing else', () => {
    const allowed =
      /^(LICENSE|README\.md|package\.json|dist\/(src|workers|drills|k6\/lib)\/.*\.[cm]?js|dist\/node_modules\/.*(\.c?js|package\.json|LICENSE)|dist\/src\/(index|model\/(options|order|server|tls))\.d\.ts|k6\/.*\.js|src\/admin\/page\/[\w-]+\.(css|html|svg))$/;
    assert.deepEqual(
      forebay.files.filter((file) => !allowed.test(file)),
      [],
    );
    assert.ok(!forebay.files.some((file) => /\.test\.|\bbench\b/.test(file)));
  });
});

describe('the installed package', () => {
  it('was installed without a warning that a user has to think about', () => {
    const lines = forebay.installText.split('\n').filter((line) => line.startsWith('npm warn'));
    // On Node 20, npm warns of the engines of uws-pack, which has binaries for Node 20 all the same.
    const isKnown = (line: string) =>
      process.versions.node.startsWith('20.') && line.startsWith('npm warn EBADENGINE');
    assert.deepEqual(
      lines.filter((line) => !isKnown(line)),
      [],
    );
    assert.doesNotMatch(forebay.installText, /nuid/);
  });

  it('serves by npx, with the JavaScript example as its handler', async (t) => {
    const folder = forebay.installed;
    cpSync(join(ROOT, 'examples/javascript/handler.mjs'), join(folder, 'handler.mjs'));
    const port = await freePort();
    const ports = ['--port', `${port}`, '--admin-port', `${await freePort()}`];
    const server = start(
      t,
      'npx',
      ['--no-install', 'forebay', '--handler', './handler.mjs', ...ports],
      folder,
    );
    await eventually('it is ready', () => {
      assert.equal(server.child.exitCode, null, server.text());
      return server.text().includes('"event":"ready"');
    });
    assert.equal(await post(port), 200);
    assert.equal(await post(port, '99'), 200);
    const shipments = () => lines(join(folder, 'shipments.ndjson'));
    await eventually('the order is shipped', () => shipments().length > 0);
    const [{ id, ...data }] = shipments() as [Record<string, unknown>];
    assert.match(String(id), /^[0-9A-Z]{26}-0$/);
    assert.deepEqual(data, { product_id: '33', count: '3', username: 'ada' });
    // npx runs it in a shell, which passes no signal on.
    process.kill(Number(/"pid":(\d+)/.exec(server.text())![1]), 'SIGTERM');
    await server.exited;
    assert.match(server.text(), /"event":"stopped"/);
  });

  it('types the TypeScript example, which starts a server by itself', async (t) => {
    const folder = join(forebay.installed, 'typescript');
    cpSync(join(ROOT, 'examples/typescript'), folder, { recursive: true });
    const types = join(forebay.installed, 'node_modules', '@types');
    // A dependency brings types of its own.
    mkdirSync(types, { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', '@types', 'node'), join(types, 'node'));
    run(TSC, ['-p', '.'], folder);
    const port = await freePort();
    const program = start(t, process.execPath, ['dist/server.js'], folder, {
      PORT: `${port}`,
      ADMIN_PORT: `${await freePort()}`,
    });
    await eventually('it is ready', () => {
      assert.equal(program.child.exitCode, null, program.text());
      return program.text().includes(`orders on http://127.0.0.1:${port}`);
    });
    assert.equal(await post(port), 200);
    const counts = () => lines(join(folder, 'counts.ndjson'));
    await eventually('the order is counted', () => counts().length === 2);
    assert.deepEqual(counts(), [{ attemptsMax: 5 }, { 33: 3 }]);
    program.child.kill('SIGTERM');
    assert.equal(await program.exited, 0, program.text());
  });

  it('has types that compile in a strict program without the types of Node', () => {
    const program = join(forebay.installed, 'strict.ts');
    writeFileSync(
      program,
      `import { type ForebayServer, type Handler, type Order, type Outcome, serve } from 'forebay';
      export const handler: Handler = (orders: readonly Order[]): Outcome[] => orders.map(() => 'done');
      interface Event { readonly id: number }
      export const typed: Handler<Event> = (orders) => {
        const sum: number = orders.reduce((total, { data }) => total + data.id, 0);
        const text: string | undefined = orders[0]?.json;
        // @ts-expect-error not a member of the data
        orders[0]?.data.username;
        return sum > 0 && text !== '' ? undefined : [];
      };
      export const either: Handler = (orders: readonly Order[]) => void orders[0]?.data.username;
      export const any = serve({ schema: true, path: '/events', bodyDepthMax: 8 });
      export const server: Promise<ForebayServer> = serve({ port: 0, nats: ['nats://a:4222'] });
      // @ts-expect-error an option that there is not
      serve({ prot: 1 });
      // @ts-expect-error of another type
      serve({ port: '1' });
      // @ts-expect-error no outcome
      export const wrong: Handler = () => ['finished'];`,
    );
    const flags = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--module', 'nodenext'];
    const libs = [
      '--target',
      'es2022',
      '--lib',
      'es2022',
      '--types',
      '',
      '--skipLibCheck',
      'false',
    ];
    run(TSC, [...flags, ...libs, program], forebay.installed);
  });
});

describe('npm start', () => {
  it('stops the server in order on SIGTERM', async (t) => {
    const [port, adminPort] = [await freePort(), await freePort()];
    const npm = start(t, 'npm', ['start'], forebay.clone, {
      FOREBAY_PORT: `${port}`,
      FOREBAY_ADMIN_PORT: `${adminPort}`,
    });
    await eventually('it is ready', () => {
      assert.equal(npm.child.exitCode, null, npm.text());
      return npm.text().includes('"event":"ready"');
    });
    const client = new OrderClient(`http://127.0.0.1:${port}`);
    assert.equal((await client.post('ada')).status, 200);
    client.close();
    npm.child.kill('SIGTERM');
    await npm.exited;
    assert.match(npm.text(), /"event":"stopped"/);
    await assert.rejects(fetch(`http://127.0.0.1:${adminPort}/healthz`));
  });
});
