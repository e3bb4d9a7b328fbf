import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { cpuSeconds } from '../../bench/process-figures.js';
import { sharesPort } from '../../src/options/port-sharing.js';
import { withDeadline } from '../support/deadline.js';
import { ENGINES } from '../support/engines.js';
import { type ForebayProcess, runForebay, startForebay } from '../support/forebay.js';
import { eventually, metric, OrderClient } from '../support/orders.js';

const OPEN = 'forebay_open_connections';
const refusedFor = (limit: string) => `forebay_connections_refused_total{limit="${limit}"}`;

/** A connection on which nothing is sent but, if it is to be held, what keeps it open. */
interface SilentConnection {
  readonly socket: Socket;
  /** What the server sent before it closed the connection; null while it is open. */
  refusal: string | null;
}

/** @param localAddress of the client */
async function openSilent(
  forebay: ForebayProcess,
  { localAddress = '127.0.0.1', isHeld = true } = {},
): Promise<SilentConnection> {
  const { hostname, port } = new URL(forebay.url);
  const socket = connect({ host: hostname, port: Number(port), localAddress });
  const silent: SilentConnection = { socket, refusal: null };
  let received = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text;
  });
  socket.on('error', () => {});
  const held = setInterval(() => {
    if (isHeld) socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  }, 2000);
  socket.once('close', () => {
    clearInterval(held);
    silent.refusal = received;
  });
  const opened = new Promise((resolve) => {
    socket.once('connect', resolve);
    socket.once('close', resolve);
  });
  await withDeadline(opened, 'a connection');
  return silent;
}

async function openMany(
  forebay: ForebayProcess,
  count: number,
  how: { localAddress?: string; isHeld?: boolean } = {},
): Promise<SilentConnection[]> {
  return Promise.all(Array.from({ length: count }, () => openSilent(forebay, how)));
}

const REFUSAL =
  /^HTTP\/1\.1 503 Service Unavailable\r\n(?=.*Retry-After: 1\r\n)(?=.*Connection: close\r\n).*\{"result":"busy"\}$/is;

/** As many are refused, with an answer, and the others stay open. */
async function refuses(silent: readonly SilentConnection[], count: number): Promise<void> {
  await eventually(
    () => `${count} are refused: ${silent.filter(({ refusal }) => refusal !== null).length}`,
    () => silent.filter(({ refusal }) => refusal !== null).length === count,
  );
  for (const { refusal } of silent) if (refusal !== null) assert.match(refusal, REFUSAL);
}

const skipPrlimit =
  spawnSync('prlimit', ['--version']).error === undefined ? false : 'prlimit is not installed';

for (const { http, skip } of ENGINES) {
  describe(`the number of connections, --http ${http}`, { skip }, () => {
    it('beyond --connections-max a connection is answered 503 and closed, until others end', async (t) => {
      const flags = ['--http', http, '--connections-max', '20'];
      const threads = sharesPort(http) ? '2' : '1';
      const forebay = await startForebay([...flags, '--threads', threads], { owner: t });
      const first = await openMany(forebay, 20);
      await eventually('20 are open', async () => (await metric(forebay, OPEN)) === 20);
      const second = await openMany(forebay, 10);
      await refuses(second, 10);
      await refuses(first, 0);
      assert.equal(await metric(forebay, refusedFor('all')), 10);
      await eventually('it is logged', () => forebay.stderr.includes('"connections-refused"'));
      for (const { socket } of first.slice(0, 5)) socket.destroy();
      await eventually('15 are open', async () => (await metric(forebay, OPEN)) === 15);
      const third = await openMany(forebay, 8);
      await refuses(third, 3);
      for (const { socket } of [...first, ...second, ...third]) socket.destroy();
      await eventually('none is open', async () => (await metric(forebay, OPEN)) === 0);
      assert.equal(await forebay.stop(), 0);
    });

    it('beyond --connections-per-address-max an address is refused, and others are not', async (t) => {
      // Several threads can exceed the limit for a moment.
      const flags = ['--http', http, '--threads', '1', '--connections-per-address-max', '6'];
      const forebay = await startForebay(flags, { owner: t });
      const greedy: SilentConnection[] = [];
      for (let i = 0; i < 20; i++)
        greedy.push(await openSilent(forebay, { localAddress: '127.0.0.2' }));
      await eventually(
        '6 stay',
        () => greedy.filter(({ refusal }) => refusal === null).length === 6,
      );
      for (const { refusal } of greedy) if (refusal !== null) assert.match(refusal, REFUSAL);
      const modest = await openMany(forebay, 6, { localAddress: '127.0.0.3' });
      await eventually('12 are open', async () => (await metric(forebay, OPEN)) === 12);
      assert.equal(await metric(forebay, refusedFor('address')), 14);
      for (const { socket } of greedy) socket.destroy();
      await eventually('the others are open', async () => (await metric(forebay, OPEN)) === 6);
      await eventually('the first address may connect again', async () => {
        const again = await openSilent(forebay, { localAddress: '127.0.0.2' });
        const isOpen = (await metric(forebay, OPEN)) === 7;
        again.socket.destroy();
        return isOpen;
      });
      for (const { socket } of modest) socket.destroy();
      assert.equal(await forebay.stop(), 0);
    });

    it('400 silent connections on 256 descriptors harm no established client and no probe', {
      skip: skipPrlimit,
    }, async (t) => {
      const flags = ['--http', http, '--threads', '1', '--workers', '1'];
      const under = ['prlimit', '--nofile=256:256'];
      const forebay = await startForebay(flags, { owner: t, under });
      const client = new OrderClient(forebay.url, 20);
      const names = Array.from({ length: 20 }, (_, i) => `before-${i}`);
      await client.postAll(names);
      const silent = await openMany(forebay, 400, { isHeld: false });
      await eventually('some are refused', () => silent.some(({ refusal }) => refusal !== null));
      const startedS = cpuSeconds(forebay.pid);
      const startedMs = performance.now();
      for (let i = 0; i < 50; i++) {
        const answers = await client.postAll(names);
        assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
        for (const path of ['/healthz', '/readyz', '/metrics']) {
          assert.equal((await fetch(`${forebay.adminUrl}${path}`)).status, 200, path);
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      // Two threads would spin, beside the work of 1,000 orders and 150 probes.
      const ratio = (cpuSeconds(forebay.pid) - startedS) / ((performance.now() - startedMs) / 1000);
      assert.ok(ratio < 1.3, `${ratio} cores are used`);
      assert.ok((await metric(forebay, refusedFor('all'))) > 0);
      await eventually('no core is held', async () => {
        const beforeS = cpuSeconds(forebay.pid);
        await new Promise((resolve) => setTimeout(resolve, 500));
        return cpuSeconds(forebay.pid) - beforeS < 0.2;
      });
      for (const { socket } of silent) socket.destroy();
      await eventually('new connections are taken again', async () => {
        const next = new OrderClient(forebay.url, 1);
        const { status } = await next.post('after');
        next.close();
        return status === 200;
      });
      client.close();
      assert.equal(await forebay.stop(), 0);
    });
  });
}

describe('the limit of open files', { skip: skipPrlimit }, () => {
  const serve = ['serve', '--threads', '1', '--workers', '1', '--port', '0', '--admin-port', '0'];

  // At some of them, Node has no descriptor for a package.json, and says that the package is missing.
  for (const limit of [24, 25, 28, 30, 31, 33, 34, 40, 64, 128]) {
    it(`${limit} is too low, which one line says`, async () => {
      const under = ['prlimit', `--nofile=${limit}:${limit}`];
      const { code, stderr } = await runForebay([...serve, '--mode', 'direct'], {}, under);
      assert.equal(code, 1);
      assert.match(
        stderr,
        /^forebay: the limit of open files is too low: .*fix: ulimit -n \d+.*\n$/,
      );
    });
  }

  it('more --connections-max than it allows is refused, and check says so too', async () => {
    const under = ['prlimit', '--nofile=256:256'];
    const flags = [...serve.slice(1), '--mode', 'direct', '--connections-max', '250'];
    const served = await runForebay(['serve', ...flags], {}, under);
    assert.equal(served.code, 1);
    assert.match(served.stderr, /^forebay: --connections-max 250 .*fix: ulimit -n \d+.*\n$/);
    const checked = await runForebay(['check', ...flags], {}, under);
    assert.match(checked.stdout, /^fail +open files +--connections-max 250 /m);
  });
});
