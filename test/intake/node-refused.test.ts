import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpReply, Route } from '../../src/intake/http.js';
import { nodeEngine } from '../../src/intake/node/engine.js';

/** Published for each request that node:http has read. */
const STARTED = 'http.server.request.start';

const ORDER = 'POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}';
const MORE = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(50);

/** The requests that are read from now on, with their sockets. */
function requestsRead(t: TestContext): Socket[] {
  const sockets: Socket[] = [];
  const onStart = (message: unknown) =>
    sockets.push((message as { request: IncomingMessage }).request.socket);
  subscribe(STARTED, onStart);
  t.after(() => unsubscribe(STARTED, onStart));
  return sockets;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** Orders wait for ever; what `/other` is asked is answered at once. @returns the port, and the orders that wait */
async function listening(t: TestContext): Promise<{ port: number; orders: HttpReply[] }> {
  const orders: HttpReply[] = [];
  const routes: Route[] = [
    {
      method: 'post',
      path: '/orders',
      answer: (reply) => {
        reply.onAborted(() => {});
        reply.onData(() => {});
        orders.push(reply);
      },
    },
    {
      method: 'any',
      path: '/*',
      answer: (reply) => void reply.writeStatus('404 Not Found\r\nA: b').end('{}'),
    },
  ];
  const limits = {
    gate: { opened: () => true, closed: () => {} },
    refusal: { head: '503 Service Unavailable', body: '' },
    keepAliveMs: 1000,
    bodyMsMax: 60_000,
  };
  const engine = nodeEngine.create(routes, limits, null);
  t.after(() => engine.close());
  const port = await freePort();
  await engine.listen({ at: { address: '127.0.0.1', port }, isShared: false });
  return { port, orders };
}

/** While an order waits for its journal, a client can send much. node:http keeps each request that it reads. */
describe('behind the last request that is taken, nothing is read', () => {
  for (const [what, last, more] of [
    ['a request without Host', 'GET / HTTP/1.1\r\n\r\n', MORE],
    [
      'a body that was not asked for',
      'POST /other HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n',
      `{}${MORE}`,
    ],
  ] as const) {
    it(what, async (t) => {
      const read = requestsRead(t);
      const { port, orders } = await listening(t);
      const client = connect(port, '127.0.0.1');
      t.after(() => client.destroy());
      client.write(ORDER + last);
      while (read.length < 2) await sleep(1);
      client.write(more);
      const bytes = ORDER.length + last.length + more.length;
      while (read[0]!.bytesRead < bytes) await sleep(1);
      await sleep(1);
      assert.equal(read.length, 2);
      let answers = '';
      client.setEncoding('latin1').on('data', (text: string) => {
        answers += text;
      });
      orders[0]!.writeStatus('200 OK\r\nA: b').end('{}');
      await once(client, 'end');
      assert.match(answers, /^HTTP\/1\.1 200 OK\r\n.*HTTP\/1\.1 4\d\d /s);
    });
  }
});
