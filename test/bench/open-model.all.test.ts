/** The open-model load generator counts waiting time as latency: compared with arithmetic, on a real server. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { generatorProgram, openLoad, type SeenPhase } from '../../bench/open-model/generator.js';
import { quantile } from '../../bench/open-model/quantiles.js';
import { bare } from '../../bench/open-model/servers.js';
import { ENGINES } from '../support/engines.js';

const NS_PER_MS = 1e6;
const CONNECTIONS = 16;
const SECONDS = 4;
const STALL_MS = 1000;
const RATE = 500;

const compiles = await generatorProgram().then(
  () => true,
  (error: Error) => error.message,
);
const skip = compiles === true ? ENGINES[0].skip : compiles;

/** Loads the bare server, which is stopped for a second in the middle. */
async function loadThroughStall(rate: number): Promise<SeenPhase> {
  const server = await bare().start();
  try {
    const load = openLoad(server.url, {
      connections: CONNECTIONS,
      timeoutMs: 10_000,
      waitMs: 10_000,
      windowMs: 0,
      core: null,
      phases: [{ rate, seconds: SECONDS }],
    });
    await sleep(1500);
    process.kill(server.pid, 'SIGSTOP');
    await sleep(STALL_MS);
    process.kill(server.pid, 'SIGCONT');
    return (await load)[0]!;
  } finally {
    await server.stop();
  }
}

function shareSlowerThan({ latency }: SeenPhase, ms: number): number {
  const all = latency.reduce((sum, [, count]) => sum + count, 0);
  const slow = latency.filter(([ns]) => ns > ms * NS_PER_MS);
  return slow.reduce((sum, [, count]) => sum + count, 0) / all;
}

describe('the load generator', { skip }, () => {
  it('counts a stall in the latency of all requests due in it, and sends them all', async () => {
    const seen = await loadThroughStall(RATE);
    assert.equal(seen.due, RATE * SECONDS);
    assert.deepEqual(seen.byStatus, { 200: RATE * SECONDS });
    // A stall of 1 s in 4 s: a quarter of the requests is late, evenly distributed up to 1 s. A busy machine only adds to
    // that. The tolerance of 0.02 covers bucket sizes and the edges of the stall.
    for (const [lateMs, share] of [
      [100, 0.225],
      [500, 0.125],
      [900, 0.025],
    ] as const) {
      const got = shareSlowerThan(seen, lateMs);
      assert.ok(got > share - 0.02, `${got} were slower than ${lateMs} ms, expected ${share}`);
    }
  });

  it('shows what a closed loop hides: there a stall counts once per connection', async () => {
    const seen = await loadThroughStall(0);
    const slow = Math.round(shareSlowerThan(seen, STALL_MS / 2) * seen.due);
    assert.ok(slow >= CONNECTIONS, `${slow} requests were in flight in the stall`);
    assert.ok(quantile(seen.latency, 0.99) < (STALL_MS / 2) * NS_PER_MS);
  });

  it('counts requests that were not offered, refused, or given up', async () => {
    let requests = 0;
    const server = createServer((request, response) => {
      request.resume();
      requests++;
      // The first is never answered, so with one connection nothing can be offered meanwhile.
      if (requests > 1) response.writeHead(503, { 'Content-Length': 2 }).end('no');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      const [seen] = await openLoad(`http://127.0.0.1:${port}`, {
        connections: 1,
        timeoutMs: 300,
        waitMs: 0,
        windowMs: 100,
        core: null,
        phases: [{ rate: 100, seconds: 1 }],
      });
      const { due, sent, timedOut, notOffered, byStatus, broken, windows } = seen!;
      assert.equal(due, 100);
      // On a busy machine, others can take as long.
      assert.ok(timedOut >= 1);
      assert.equal(sent + notOffered, due);
      assert.ok(notOffered >= 20, `${notOffered} were due in the 300 ms and not offered`);
      assert.equal((byStatus['503'] ?? 0) + timedOut + broken, sent);
      assert.deepEqual(
        windows.map((window) => window.due),
        new Array(10).fill(10),
      );
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('does not accept a 200 with another body', async () => {
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(200, { 'Content-Length': 2 }).end('no');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      const load = openLoad(`http://127.0.0.1:${port}`, {
        connections: 1,
        timeoutMs: 5000,
        waitMs: 5000,
        windowMs: 0,
        core: null,
        phases: [{ rate: 10, seconds: 1 }],
      });
      await assert.rejects(load, /10 responses with 200 have another body/);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('quantiles', () => {
  it('are the value that a share does not exceed; requests without a response exceed all', () => {
    const counts = [
      [10, 50],
      [20, 40],
      [30, 10],
    ] as const;
    assert.equal(quantile(counts, 0.5), 10);
    assert.equal(quantile(counts, 0.51), 20);
    assert.equal(quantile(counts, 0.9), 20);
    assert.equal(quantile(counts, 1), 30);
    assert.equal(quantile(counts, 0.9, 100), Number.POSITIVE_INFINITY);
    assert.equal(quantile(counts, 0.5, 100), 30);
    assert.ok(Number.isNaN(quantile([], 0.5)));
  });
});
