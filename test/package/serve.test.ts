import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type ForebayServer, type ServeOptions, serve } from '../../src/index.js';
import type { Owner } from '../support/forebay.js';
import { freePort } from '../support/free-port.js';
import { eventually, metric, OrderClient } from '../support/orders.js';
import { testOwner } from '../support/reverse-owner.js';

const DONE = 'work_done_total{status="done"}';

/** A server on free ports with a folder of its own, closed when the test is over. */
async function start(owner: Owner, options: ServeOptions = {}): Promise<ForebayServer> {
  const data = options.data ?? folderOf(owner);
  const server = await serve({
    host: '127.0.0.1',
    port: 0,
    adminPort: 0,
    logLevel: 'silent',
    ...options,
    data,
  });
  owner.after(() => server.close().catch(() => {}));
  return server;
}

/** A folder that is removed when the test is over. */
function folderOf(owner: Owner): string {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-serve-'));
  owner.after(async () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Files of the folder that this process has open. Linux only. */
function openFiles(folder: string): string[] {
  return readdirSync('/proc/self/fd')
    .map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return '';
      }
    })
    .filter((file) => file.startsWith(folder));
}

async function post(url: string): Promise<number> {
  const client = new OrderClient(url);
  try {
    return (await client.post('ada')).status;
  } finally {
    client.close();
  }
}

describe('serve, in a program of its own', () => {
  for (const threads of [0, 1]) {
    it(`takes and processes orders with threads: ${threads}, and closes twice`, async (t) => {
      const owner = testOwner(t);
      const server = await start(owner, { threads });
      assert.equal(await post(server.url), 200);
      await eventually('the order is processed', async () => (await metric(server, DONE)) === 1);
      const closing = server.close();
      assert.equal(server.close(), closing);
      await closing;
      await server.closed;
      assert.equal(await post(server.url), 0);
      await assert.rejects(fetch(server.adminUrl));
    });
  }

  it('leaves the signals and exceptions of the process alone', async (t) => {
    const owner = testOwner(t);
    const events = ['SIGTERM', 'SIGINT', 'uncaughtException', 'unhandledRejection', 'exit'];
    const before = events.map((event) => process.listenerCount(event));
    const server = await start(owner);
    assert.deepEqual(
      events.map((event) => process.listenerCount(event)),
      before,
    );
    await server.close();
  });

  it('serves several at once, in both modes, each with its own ports and folder', async (t) => {
    const owner = testOwner(t);
    const servers = [
      await start(owner),
      await start(owner, { threads: 0 }),
      await start(owner, { mode: 'direct' }),
    ];
    for (const { url } of servers) assert.equal(await post(url), 200);
    await servers[0]!.close();
    for (const { url } of servers.slice(1)) assert.equal(await post(url), 200);
  });

  it('gives up port and folder when it closes, and refuses them before', async (t) => {
    const owner = testOwner(t);
    const data = folderOf(owner);
    const port = await freePort();
    for (let round = 0; round < 2; round++) {
      const server = await start(owner, { port, data });
      await assert.rejects(start(owner, { port }), new RegExp(`port ${port} is in use`));
      await assert.rejects(start(owner, { data }), /is in use by another Forebay/);
      assert.equal(await post(server.url), 200);
      await server.close();
      if (process.platform === 'linux') assert.deepEqual(openFiles(data), []);
    }
  });

  it('takes the handler as a URL, as the text of one, or as a path', async (t) => {
    const owner = testOwner(t);
    const folder = folderOf(owner);
    const file = join(folder, 'handler.mjs');
    writeFileSync(file, 'export default async () => {};\n');
    const url = pathToFileURL(file);
    for (const handler of [url, url.href, file]) {
      const server = await start(owner, { handler });
      assert.equal(await post(server.url), 200);
      await server.close();
    }
  });

  it('refuses wrong options by name, value and fix', async (t) => {
    const owner = testOwner(t);
    const refused: [object, RegExp][] = [
      [{ port: 70_000 }, /^port 70000 \(serve\(\)\): must be a whole number from 0 to 65535$/],
      [{ port: '3000' }, /^port "3000" \(serve\(\)\): must be a whole number/],
      [{ drain: 'off' }, /^drain "off" \(serve\(\)\): must be true or false$/],
      [
        { nats: 'nats://a:4222' },
        /^nats "nats:\/\/a:4222" \(serve\(\)\): must be an array of NATS URLs/,
      ],
      [{ prot: 3000 }, /^prot \(serve\(\)\): unknown option; did you mean port\?$/],
      [{ retryMsMin: 70_000 }, /^retryMsMin 70000 .* must be at most retryMsMax \(60000\)$/],
      [{ handler: 5 }, /^handler 5 \(serve\(\)\): must be /],
      [{ handler: null }, /^handler null \(serve\(\)\): must be /],
      [{ handler: { default: () => {} } }, /^handler \{\} \(serve\(\)\): must be /],
      [{ handler: './missing.mjs' }, /^handler \.\/missing\.mjs: there is no such file/],
    ];
    for (const [options, message] of refused)
      await assert.rejects(start(owner, options), { message });
    for (const options of [null, 'x', []]) {
      const message = /\(serve\(\)\): the options must be an object such as/;
      await assert.rejects(serve(options as never), { message });
    }
  });

  it('rejects when the handler cannot be loaded, and leaves nothing open', async (t) => {
    const owner = testOwner(t);
    const folder = folderOf(owner);
    const handler = join(folder, 'broken.mjs');
    writeFileSync(handler, 'throw new Error("no such table");\n');
    const data = join(folder, 'data');
    const port = await freePort();
    await assert.rejects(start(owner, { handler, data, port }), /no such table/);
    const server = await start(owner, { data, port });
    assert.equal(await post(server.url), 200);
  });

  it('rejects close after shutdownMsMax, while a handler goes on', async (t) => {
    const owner = testOwner(t);
    const folder = folderOf(owner);
    const handler = join(folder, 'slow.mjs');
    const [begun, go] = [join(folder, 'begun'), join(folder, 'go')];
    writeFileSync(
      handler,
      `import { existsSync, writeFileSync } from 'node:fs';
      export default async () => {
        writeFileSync(${JSON.stringify(begun)}, '');
        while (!existsSync(${JSON.stringify(go)})) await new Promise((done) => setTimeout(done, 20));
      };`,
    );
    const server = await start(owner, { handler, shutdownMsMax: 300 });
    assert.equal(await post(server.url), 200);
    await eventually('the handler runs', () => existsSync(begun));
    await assert.rejects(server.close(), /not closed within shutdownMsMax \(300 ms\)/);
    await assert.rejects(server.closed);
    writeFileSync(go, '');
  });

  it('does not keep the process once it is closed', (t) => {
    const owner = testOwner(t);
    const folder = folderOf(owner);
    const program = join(folder, 'program.mjs');
    writeFileSync(
      program,
      `import { serve } from ${JSON.stringify(new URL('../../src/index.js', import.meta.url).href)};
      const server = await serve({ host: '127.0.0.1', port: 0, adminPort: 0, data: 'data', logLevel: 'warn' });
      await server.close();`,
    );
    const run = spawnSync(process.execPath, [program], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 60_000,
    });
    assert.equal(run.stdout + run.stderr, '');
    assert.equal(run.status, 0);
  });
});
