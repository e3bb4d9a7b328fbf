import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { VIEWERS_MAX } from '../../src/admin/live-feed.js';
import { pageFiles } from '../../src/admin/page-files.js';
import type { AdminConfig } from '../../src/admin/server.js';
import { EXIT, OperatorFault } from '../../src/model/fault.js';
import { createAdmin, HOST } from './admin-server.js';

async function withServer(
  config: Partial<AdminConfig>,
  run: (origin: string, port: number) => Promise<void>,
): Promise<void> {
  const server = createAdmin(config);
  const port = await server.listen(HOST, 0);
  try {
    await run(`http://${HOST}:${port}`, port);
  } finally {
    await server.close();
  }
}

test('/metrics returns the text with its content type', () =>
  withServer({}, async (origin) => {
    const response = await fetch(`${origin}/metrics?x=1`);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    assert.equal(await response.text(), 'up 1\n');
  }));

test('/healthz is 200, ready or not', () =>
  withServer({ readiness: () => ['no journal'] }, async (origin) => {
    const response = await fetch(`${origin}/healthz`);
    assert.equal(response.status, 200);
    assert.equal(await response.text(), '{"status":"ok"}');
  }));

test('/readyz reports the current reasons', async () => {
  const reasons: string[] = ['intake does not listen', 'nats://a:4222 does not answer'];
  await withServer({ readiness: () => reasons }, async (origin) => {
    const before = await fetch(`${origin}/readyz`);
    assert.equal(before.status, 503);
    assert.deepEqual(await before.json(), { status: 'not-ready', reasons, degraded: [] });
    reasons.length = 0;
    const then = await fetch(`${origin}/readyz`);
    assert.equal(then.status, 200);
    assert.equal(await then.text(), '{"status":"ready"}');
  });
});

test('/readyz is 200 if orders can be accepted, and reports what is degraded', () =>
  withServer({ degraded: () => ['NATS is away'] }, async (origin) => {
    const response = await fetch(`${origin}/readyz`);
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { status: 'ready', degraded: ['NATS is away'] });
  }));

test('HEAD returns the headers of GET without the body', () =>
  withServer({}, async (origin) => {
    for (const path of ['/metrics', '/healthz', '/readyz']) {
      const get = await fetch(origin + path);
      const head = await fetch(origin + path, { method: 'HEAD' });
      assert.equal(head.status, get.status);
      assert.equal(await head.text(), '');
      assert.equal(head.headers.get('content-length'), `${(await get.text()).length}`);
    }
  }));

test('an unknown path is 404, another method 405 with Allow; the path is checked first', () =>
  withServer({}, async (origin) => {
    assert.equal((await fetch(`${origin}/page`)).status, 404);
    assert.equal((await fetch(`${origin}/metrics/`)).status, 404);
    assert.equal((await fetch(`${origin}/orders`, { method: 'POST' })).status, 404);
    const refused = await fetch(`${origin}/metrics`, { method: 'POST', body: 'x' });
    assert.equal(refused.status, 405);
    assert.equal(refused.headers.get('allow'), 'GET, HEAD');
  }));

test('concurrent scrapes share one rendering', async () => {
  let running = 0;
  let runningMax = 0;
  const metrics = async () => {
    runningMax = Math.max(runningMax, ++running);
    await sleep(20);
    running--;
    return 'up 1\n';
  };
  await withServer({ metrics }, async (origin) => {
    const scrape = async () => (await fetch(`${origin}/metrics`)).text();
    const texts = await Promise.all(Array.from({ length: 20 }, scrape));
    assert.deepEqual(new Set(texts), new Set(['up 1\n']));
  });
  assert.equal(runningMax, 1);
});

test('a failed rendering is a 500 with the reason, and the next request renders again', async () => {
  let fails = true;
  const metrics = async () => {
    if (fails) throw new Error('no numbers');
    return 'up 1\n';
  };
  await withServer({ metrics }, async (origin) => {
    const failed = await fetch(`${origin}/metrics`);
    assert.equal(failed.status, 500);
    assert.deepEqual(await failed.json(), { result: 'failed', reason: 'no numbers' });
    fails = false;
    assert.equal((await fetch(`${origin}/metrics`)).status, 200);
  });
});

test('a port in use is reported in one line that names it', () =>
  withServer({}, async (_origin, port) => {
    const second = createAdmin();
    await assert.rejects(second.listen(HOST, port), (error: unknown) => {
      assert.ok(error instanceof OperatorFault);
      assert.equal(error.exitCode, EXIT.failed);
      assert.match(error.message, new RegExp(`port ${port} is in use.*--admin-port`));
      assert.ok(!error.message.includes('\n'));
      return true;
    });
    await second.close();
  }));

test('a host of another machine is reported in one line', async () => {
  const server = createAdmin();
  await assert.rejects(
    server.listen('192.0.2.1', 0),
    /^OperatorFault: admin server on 192\.0\.2\.1: /,
  );
});

test('close ends even if a connection never completes its request', async () => {
  let gone: Promise<unknown> | undefined;
  await withServer({}, async (_origin, port) => {
    const socket = connect(port, HOST);
    await once(socket, 'connect');
    socket.on('error', () => {});
    // Not `once` of node:events, which rejects: Node 26 resets the connection.
    gone = new Promise((resolve) => socket.once('close', resolve));
    socket.write('GET /metrics HTTP/1.1\r\n');
  });
  await gone;
});

test('it does not listen after close, if it was closed while its host name was looked up', async () => {
  const server = createAdmin();
  const listening = server.listen('localhost', 0);
  await server.close();
  await assert.rejects(listening, /closed/);
});

test('/live streams to its maximum of viewers, and is 503 beyond it', () =>
  withServer({}, async (origin) => {
    const streams = await Promise.all(
      Array.from({ length: VIEWERS_MAX }, () => fetch(`${origin}/live`)),
    );
    for (const { status, headers } of streams) {
      assert.equal(status, 200);
      assert.equal(headers.get('content-type'), 'text/event-stream');
    }
    const refused = await fetch(`${origin}/live`);
    assert.equal(refused.status, 503);
    assert.match(await refused.text(), /already has 32 viewers/);
    assert.equal((await fetch(`${origin}/metrics`)).status, 200);
    await Promise.all(streams.map(({ body }) => body!.cancel()));
  }));

test('close ends the streams at once, not after the grace period for pending responses', async () => {
  let text: Promise<string> | undefined;
  await withServer({}, async (origin) => {
    text = (await fetch(`${origin}/live`)).text();
  });
  // If the deadline ended it, reading the text would fail.
  assert.match(await text!, /^event: hello\n/);
});

test('the live page is complete: every file that it refers to is served with its content type', () =>
  withServer({}, async (origin) => {
    const types: Readonly<Record<string, string>> = {
      '/': 'text/html; charset=utf-8',
      js: 'text/javascript; charset=utf-8',
      css: 'text/css; charset=utf-8',
      svg: 'image/svg+xml',
    };
    const toLook = ['/'];
    for (const path of toLook) {
      const response = await fetch(origin + path);
      const text = await response.text();
      assert.equal(response.status, 200, path);
      assert.equal(response.headers.get('content-type'), types[path.split('.')[1] ?? path], path);
      const policy = response.headers.get('content-security-policy')!;
      assert.ok(policy.startsWith("default-src 'none'; script-src 'self';"), policy);
      assert.ok(!policy.includes('unsafe'), policy);
      const named = text.matchAll(/(?:src|href)="([^"]+)"|from '(\.[^']+)'/g);
      for (const [, link, module] of named) {
        const { pathname } = new URL((link ?? module)!, origin + path);
        if (pathname !== '/metrics' && !toLook.includes(pathname)) toLook.push(pathname);
      }
    }
    assert.ok(
      toLook.includes('/page/uplot.js') && toLook.includes('/page/statistics.js'),
      `${toLook}`,
    );
    assert.deepEqual(toLook.toSorted(), [...pageFiles.keys()].toSorted());
  }));
