import assert from 'node:assert/strict';
import { once } from 'node:events';
import { lstat, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type ForebayProcess, runForebay, startForebay } from '../support/forebay.js';
import { freePort } from '../support/free-port.js';
import { ENGINES } from '../support/http-engine.js';
import { orderBody } from '../support/orders.js';
import { postOrder } from '../support/raw-http.js';

const JSON_TYPE = { 'Content-Type': 'application/json' };

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'forebay-'));
  t.after(() => rm(made, { recursive: true, force: true }));
  return made;
}

/** The orders URL of the ready line. */
function readyUrl(forebay: ForebayProcess): string {
  return /orders (\S+)/.exec(forebay.stdout)![1]!;
}

/** The first line of stderr that is not of the log, of a server that does not start. */
async function refusal(t: TestContext, flags: readonly string[]): Promise<string> {
  const data = await folder(t);
  const ended = await runForebay(['serve', '--data', data, '--admin-port', '0', ...flags]);
  assert.equal(ended.code, 1, ended.stderr);
  return ended.stderr.split('\n').find((line) => line.startsWith('forebay: '))!;
}

/** The line of `forebay check` about this. */
async function finding(about: string, flags: readonly string[]): Promise<string> {
  const { stdout } = await runForebay(['check', '--admin-port', '0', ...flags]);
  return stdout.split('\n').find((line) => new RegExp(`^\\w+\\s+${about}\\b`).test(line)) ?? stdout;
}

for (const http of ENGINES) {
  const engine = ['--http', http, '--threads', '1'];

  describe(`the address for orders, --http ${http}`, () => {
    it('an IPv6 address stands in brackets in the ready line, and takes orders', async (t) => {
      const forebay = await startForebay([...engine, '--host', '::1'], { owner: t });
      assert.match(readyUrl(forebay), /^http:\/\/\[::1\]:\d+$/);
      assert.equal((await postOrder(readyUrl(forebay), orderBody('a'), JSON_TYPE)).status, 200);
      assert.equal(await forebay.stop(), 0);
    });

    it('--host :: takes orders over IPv6 and IPv4', async (t) => {
      const forebay = await startForebay([...engine, '--host', '::'], { owner: t });
      const { port } = new URL(readyUrl(forebay));
      assert.equal(readyUrl(forebay), `http://[::]:${port}`);
      for (const host of ['[::1]', '127.0.0.1']) {
        const url = `http://${host}:${port}`;
        assert.equal((await postOrder(url, orderBody('a'), JSON_TYPE)).status, 200, url);
      }
      assert.equal(await forebay.stop(), 0);
    });

    it('a host name is resolved once, so that both engines listen on the same address', async (t) => {
      const forebay = await startForebay([...engine, '--host', 'localhost'], { owner: t });
      assert.match(readyUrl(forebay), /^http:\/\/localhost:\d+$/);
      assert.equal((await postOrder(readyUrl(forebay), orderBody('a'), JSON_TYPE)).status, 200);
      assert.equal(await forebay.stop(), 0);
    });

    it('two servers may have two addresses of one port', async (t) => {
      const port = String(await freePort());
      const urls = [];
      for (const host of ['127.0.0.1', '127.0.0.2']) {
        const flags = [...engine, '--host', host, '--port', port];
        assert.match(await finding('port', flags), /^ok .*free/);
        urls.push(readyUrl(await startForebay(flags, { owner: t })));
      }
      for (const url of urls) {
        assert.equal((await postOrder(url, orderBody('a'), JSON_TYPE)).status, 200, url);
      }
    });

    it('a unix socket takes orders, of the owner and the group, and is removed at the stop', async (t) => {
      const path = join(await folder(t), 'orders.sock');
      const forebay = await startForebay([...engine, '--listen', `unix:${path}`], { owner: t });
      assert.equal(readyUrl(forebay), `unix:${path}`);
      assert.equal((await lstat(path)).mode & 0o777, 0o660);
      assert.equal(await postToSocket(path), 200);
      assert.match(
        await finding('socket', ['--listen', `unix:${path}`]),
        /^warn .*running Forebay/,
      );
      const line = await refusal(t, ['--listen', `unix:${path}`]);
      assert.match(line, /cannot listen on unix:.*: another program listens there; fix: /);
      assert.equal(await postToSocket(path), 200);
      assert.equal(await forebay.stop(), 0);
      await assert.rejects(lstat(path), /ENOENT/);
    });

    it('a socket that a killed server left is replaced', async (t) => {
      const path = join(await folder(t), 'orders.sock');
      const flags = [...engine, '--listen', `unix:${path}`];
      await (await startForebay(flags, { owner: t })).kill9();
      assert.ok((await lstat(path)).isSocket());
      assert.match(await finding('socket', flags), /^ok .*free/);
      const next = await startForebay(flags, { owner: t });
      assert.equal(await postToSocket(path), 200);
      assert.equal(await next.stop(), 0);
    });
  });
}

describe('a server that wants an address in use is refused, and check agrees', () => {
  for (const [first, second] of [
    ['127.0.0.1', '0.0.0.0'],
    ['0.0.0.0', '127.0.0.2'],
    ['::', '127.0.0.1'],
    ['::1', '::'],
    ['::', '0.0.0.0'],
  ] as const) {
    it(`${second} while another serves on ${first}`, async (t) => {
      const port = String(await freePort());
      const forebay = await startForebay(['--host', first, '--port', port], { owner: t });
      const flags = ['--host', second, '--port', port];
      assert.match(await refusal(t, flags), new RegExp(`port ${port} is in use on `));
      assert.match(await finding('port', flags), /^warn .*in use by a running Forebay/);
      assert.equal(await forebay.stop(), 0);
    });
  }

  it('a port whose lock is held while no program listens there', async (t) => {
    const port = await freePort();
    const lock = createServer().listen({ path: `\0forebay-port-${port}-127.0.0.1` });
    t.after(() => new Promise((resolve) => lock.close(resolve)));
    await once(lock, 'listening');
    for (const host of ['127.0.0.1', '0.0.0.0']) {
      const flags = ['--host', host, '--port', String(port)];
      assert.match(await refusal(t, flags), new RegExp(`port ${port} is in use on `));
      assert.match(await finding('port', flags), /^warn .*in use by a running Forebay/);
    }
    const other = await startForebay(['--host', '127.0.0.2', '--port', String(port)], { owner: t });
    assert.equal(await other.stop(), 0);
  });

  it('a unix socket of another program, which is left alone', async (t) => {
    const path = join(await folder(t), 'other.sock');
    const other = createServer((socket) => socket.destroy()).listen({ path });
    t.after(() => new Promise((resolve) => other.close(resolve)));
    await once(other, 'listening');
    const flags = ['--listen', `unix:${path}`];
    assert.match(
      await refusal(t, flags),
      /another program listens there; fix: .* stop that program$/m,
    );
    assert.match(await finding('socket', flags), /^fail .*in use by another program/);
    assert.ok((await lstat(path)).isSocket());
  });

  it('a file at the path of the socket, a folder that is missing, and a path that is too long', async (t) => {
    const place = await folder(t);
    const file = join(place, 'orders.sock');
    await writeFile(file, 'precious');
    for (const [path, why] of [
      [file, /there is a file of that name/],
      [join(place, 'missing', 'orders.sock'), /ENOENT/],
      [
        join(place, 'x'.repeat(100)),
        /the path has \d+ bytes, and the path of a socket at most 107/,
      ],
    ] as const) {
      const flags = ['--listen', `unix:${path}`];
      const refused = await refusal(t, flags);
      assert.match(refused, why);
      assert.doesNotMatch(refused, /that program/);
      const found = await finding('socket', flags);
      assert.match(found, why);
      assert.doesNotMatch(found, /cannot listen/);
    }
    assert.ok((await lstat(file)).isFile());
  });

  it('a name that cannot be resolved', async (t) => {
    const flags = ['--host', 'nowhere.invalid'];
    assert.match(await refusal(t, flags), /cannot listen on nowhere.invalid:3000: .*--host/);
  });

  it('--threads 2 with a unix socket', async () => {
    const ended = await runForebay(['serve', '--listen', 'unix:/tmp/x.sock', '--threads', '2']);
    assert.equal(ended.code, 2);
    assert.match(ended.stderr, /--threads 2 .*: must be 0 or 1 with --listen, because threads/);
  });
});

it('one of two servers that start at the same time gets the port, or none', async (t) => {
  const port = String(await freePort());
  const starts = ['127.0.0.1', '0.0.0.0', '127.0.0.1'].map((host) =>
    startForebay(['--host', host, '--port', port], { owner: t }).then(
      () => true,
      () => false,
    ),
  );
  const started = (await Promise.all(starts)).filter(Boolean);
  assert.ok(started.length <= 1, `${started.length} serve on one port`);
});

/** The status of an order that is posted to the socket. */
function postToSocket(socketPath: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { socketPath, method: 'POST', path: '/orders', headers: JSON_TYPE, agent: false },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode!);
      },
    );
    sent.once('error', reject);
    sent.end(orderBody('a'));
  });
}
