import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ledgerHandler } from '../drain/handlers.js';
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { SEVERAL_THREADS } from '../support/http-engine.js';
import { eventually, metric, OrderClient } from '../support/orders.js';
import { exchange, postOrder, RawConnection, VALID_BODY } from '../support/raw-http.js';

async function receipt(url: string, id: string) {
  const answer = await fetch(`${url}/orders/${id}`);
  assert.equal(answer.headers.get('content-type'), 'application/json');
  const { ahead, by, ...known } = (await answer.json()) as Record<string, unknown>;
  assert.ok(by === undefined || known.status === 'accepted');
  assert.equal(typeof ahead, known.status === 'accepted' ? 'number' : 'undefined');
  return { status: answer.status, body: JSON.stringify(known) };
}

const told = (id: string, status: string) => ({
  status: status === 'unknown' ? 404 : 200,
  body: JSON.stringify({ id, status }),
});

describe('GET /orders/{id}', () => {
  let forebay: ForebayProcess;
  let client: OrderClient;
  before(async () => {
    forebay = await startForebay([
      '--threads',
      SEVERAL_THREADS,
      '--drain',
      'off',
      '--rps-limit',
      '5',
    ]);
    client = new OrderClient(forebay.url);
  });
  after(async () => {
    client.close();
    assert.equal(await forebay.stop(), 0);
  });

  it('returns accepted for a waiting order, on every connection', async () => {
    const { id } = await client.post('waiting');
    for (let i = 0; i < 20; i++)
      assert.deepEqual(await receipt(forebay.url, id), told(id, 'accepted'));
  });

  it('returns unknown and 404 for an order that was not accepted, and for an invalid id', async () => {
    const frame = '01M83VE3HSJAPJZK4X00000000';
    const ids = [
      `${frame}-0`,
      `${frame}-9999`,
      `${frame}-10000`,
      `${frame}-01`,
      `${frame}-`,
      `${frame}--1`,
      `${frame}-1e1`,
      frame,
      `${frame.slice(1)}-0`,
      `${frame.toLowerCase()}-0`,
      `${frame.slice(1)}U-0`,
      'x',
      '%22',
    ];
    for (const id of ids) assert.deepEqual(await receipt(forebay.url, id), told(id, 'unknown'));
  });

  it('returns unknown for an index beyond the frame', async () => {
    const { id } = await client.post('alone');
    const beyond = id.replace(/-\d+$/, '-9999');
    assert.deepEqual(await receipt(forebay.url, beyond), told(beyond, 'unknown'));
  });

  it('answers HEAD like GET, without the body', async () => {
    const { id } = await client.post('headed');
    for (const [asked, status] of [
      [id, 200],
      ['x', 404],
    ] as const) {
      const answer = await exchange(
        forebay.url,
        `HEAD /orders/${asked} HTTP/1.1\r\nHost: x\r\n\r\n`,
      );
      const body = await (await fetch(`${forebay.url}/orders/${asked}`)).text();
      assert.equal(answer.status, status);
      assert.equal(answer.body, '');
      assert.equal(answer.headers['content-length'], String(body.length));
    }
  });

  it('answers 405 to other methods, and 404 to other paths', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const answer = await exchange(
        forebay.url,
        `${method} /orders/x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`,
      );
      assert.equal(answer.status, 405);
      assert.equal(answer.headers.allow, 'GET, HEAD');
    }
    for (const path of ['/orders/', '/orders/x/y', '/order/x']) {
      assert.equal((await fetch(forebay.url + path)).status, 404, path);
    }
  });

  it('is counted by status, but not in the request duration, nor against the limit', async () => {
    const series = 'forebay_http_request_duration_seconds_count';
    const seen = 'forebay_http_responses_total{status="404"}';
    const [durations, answers] = [await metric(forebay, series), await metric(forebay, seen)];
    for (let i = 0; i < 50; i++) await receipt(forebay.url, 'x');
    assert.equal(await metric(forebay, series), durations);
    assert.equal(await metric(forebay, seen), answers + 50);
    await eventually(
      'the limit admits orders',
      async () => (await postOrder(forebay.url, VALID_BODY)).status === 200,
    );
  });

  it('clients that disconnect before the response do not affect others', async () => {
    const { id } = await client.post('asked and left');
    for (let i = 0; i < 50; i++) {
      const connection = await RawConnection.open(forebay.url);
      await connection.write(`GET /orders/${id} HTTP/1.1\r\nHost: x\r\n\r\n`);
      connection.destroy();
    }
    assert.deepEqual(await receipt(forebay.url, id), told(id, 'accepted'));
  });
});

describe('GET /orders/{id} after processing', () => {
  it('returns done or dead', async (t) => {
    const handler = await ledgerHandler(
      t,
      `return orders.map(({ data }) => (data.username === 'bad' ? 'dead' : 'done'));`,
    );
    const forebay = await startForebay(['--handler', handler.file], { owner: t });
    const client = new OrderClient(forebay.url);
    t.after(() => client.close());
    const answers = await client.postAll(['good', 'bad', 'fine']);
    for (const [i, status] of ['done', 'dead', 'done'].entries()) {
      const { id } = answers[i];
      await eventually(status, async () => {
        const { body } = await receipt(forebay.url, id);
        return body === JSON.stringify({ id, status });
      });
    }
    assert.equal(await forebay.stop(), 0);
  });

  it('returns unknown in direct mode, which keeps no orders', async (t) => {
    const forebay = await startForebay(['--mode', 'direct'], { owner: t });
    const answer = await postOrder(forebay.url, VALID_BODY);
    const id = answer.headers['x-order-id']!;
    assert.deepEqual(await receipt(forebay.url, id), told(id, 'unknown'));
    assert.equal(await forebay.stop(), 0);
  });
});
