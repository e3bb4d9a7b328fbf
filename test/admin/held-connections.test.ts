import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { VIEWERS_MAX } from '../../src/admin/live-feed.js';
import { withDeadline } from '../support/deadline.js';
import { eventually } from '../support/orders.js';
import { HOST, listening } from './admin-server.js';

const BIG = `${'x'.repeat(1023)}\n`.repeat(20_000);

/** Opens connections that send `head` and then hold. @returns those that the server accepted */
async function hold(t: TestContext, port: number, count: number, head: string): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connect(port, HOST));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  await Promise.all(
    sockets.map(async (socket) => {
      socket.on('error', () => {});
      await once(socket, 'connect').catch(() => {});
      if (head !== '') socket.write(head);
    }),
  );
  return sockets;
}

/** On a connection of its own, as a kubelet asks. */
function probe(port: number, path: string, localAddress = HOST): Promise<number> {
  const answered = new Promise<number>((resolve, reject) => {
    get({ host: HOST, port, path, localAddress, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    }).on('error', reject);
  });
  return withDeadline(answered, `${path} is answered`);
}

async function probesAreAnswered(port: number): Promise<void> {
  for (let round = 0; round < 5; round++) {
    assert.equal(await probe(port, '/healthz'), 200);
    assert.equal(await probe(port, '/readyz'), 200);
  }
  assert.equal(await probe(port, '/metrics'), 200);
}

const HEADS = {
  silent: '',
  'in the middle of a request line': 'GET /heal',
  'in the middle of the headers': 'GET /metrics HTTP/1.1\r\nHost: a\r\nX-',
  'kept alive after an answer': 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n',
  'kept alive after an unknown path': 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n',
};

describe('probes of an admin server whose connections are held', () => {
  for (const [what, head] of Object.entries(HEADS)) {
    for (const count of [64, 500, ...(head === '' ? [3000] : [600])]) {
      const max = count === 64 ? 64 : 512;
      it(`are answered: ${count} connections, ${what}, limit ${max}`, async (t) => {
        const port = await listening(t, { connectionsMax: max });
        const holding = hold(t, port, count, head);
        // While they are opened, and when all are held.
        await probesAreAnswered(port);
        await holding;
        await probesAreAnswered(port);
      });
    }
  }

  it('are answered: 200 connections that do not read a large answer', async (t) => {
    const port = await listening(t, { metrics: async () => BIG });
    const sockets = await hold(t, port, 200, '');
    for (const socket of sockets) {
      socket.pause();
      socket.write('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3));
    }
    for (let round = 0; round < 5; round++) assert.equal(await probe(port, '/healthz'), 200);
  });

  it('are answered beside the most viewers of the live page, who stay', async (t) => {
    const port = await listening(t);
    const viewers = await hold(t, port, VIEWERS_MAX, 'GET /live HTTP/1.1\r\nHost: a\r\n\r\n');
    const heard = new Set<Socket>();
    for (const viewer of viewers) viewer.on('data', () => heard.add(viewer));
    await eventually('all watch', () => heard.size === VIEWERS_MAX);
    await hold(t, port, 500, '');
    await probesAreAnswered(port);
    heard.clear();
    await eventually('all still watch', () => heard.size === VIEWERS_MAX);
  });

  for (const [what, tokens] of [
    ['everybody may watch', null],
    ['a token is needed, which they do not have', { value: ['a-token-of-this-test'] }],
  ] as const) {
    it(`are answered beside 1,000 viewers who come again when they are sent away: ${what}`, async (t) => {
      const port = await listening(t, { connectionsMax: 512, tokens });
      const watching = new Set<Socket>();
      let comes = 0;
      const watch = () => {
        const socket = connect(port, HOST);
        comes++;
        socket.write('GET /live HTTP/1.1\r\nHost: a\r\n\r\n');
        socket.on('error', () => {});
        socket.on('data', () => watching.add(socket));
        socket.on('close', () => {
          watching.delete(socket);
          if (!isOver) setTimeout(watch, 500);
        });
        t.after(() => socket.destroy());
      };
      let isOver = false;
      t.after(() => {
        isOver = true;
      });
      for (let n = 0; n < 1000; n++) watch();
      await eventually('some were sent away and came again', () => comes > 1500);
      for (let round = 0; round < 10; round++) {
        for (const from of [HOST, '127.0.0.2']) {
          assert.equal(await probe(port, '/healthz', from), 200);
          assert.equal(await probe(port, '/readyz', from), 200);
        }
      }
      assert.ok(watching.size > 0);
    });
  }

  it('keep their connection while fewer than the limit are held', async (t) => {
    const port = await listening(t);
    const [kept] = await hold(t, port, 1, 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(kept!, 'data');
    await hold(t, port, 60, '');
    kept!.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
    const [text] = (await once(kept!, 'data')) as [Buffer];
    assert.match(text.toString(), /^HTTP\/1\.1 200/);
  });
});
