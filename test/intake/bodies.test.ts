import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ledgerHandler, UNTIL_GO } from '../drain/handlers.js';
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { ENGINE } from '../support/http-engine.js';
import { eventually, metric, OrderClient } from '../support/orders.js';
import { post, postOrder, RawConnection, VALID_BODY } from '../support/raw-http.js';

const INVALID_BODY = VALID_BODY.replace('"3"', '"x"');
const UNICODE_BODY = '{"product_id":"33","count":"3","username":"Ма́ксим 🛒"}';

describe('bodies that arrive in several chunks', () => {
  let forebay: ForebayProcess;
  before(async () => {
    forebay = await startForebay(['--body-bytes-max', '256']);
  });
  after(async () => assert.equal(await forebay.stop(), 0));

  for (const [name, text, status] of [
    ['valid', VALID_BODY, 200],
    ['invalid', INVALID_BODY, 400],
    ['beyond ASCII', UNICODE_BODY, 200],
  ] as const) {
    it(`a ${name} body split at any byte gets ${status}`, async () => {
      const { head, body } = post(text);
      const connection = await RawConnection.open(forebay.url);
      for (let at = 0; at <= body.length; at++) {
        await connection.writeApart(
          [head, body.subarray(0, at)].filter((piece) => piece.length > 0),
        );
        await connection.write(body.subarray(at));
        assert.equal((await connection.answer()).status, status, `split at ${at}`);
      }
      connection.destroy();
    });

    it(`a ${name} body sent byte by byte gets ${status}`, async () => {
      const { head, body } = post(text);
      const connection = await RawConnection.open(forebay.url);
      await connection.writeApart([head, ...Array.from(body, (byte) => Uint8Array.of(byte))]);
      assert.equal((await connection.answer()).status, status);
      connection.destroy();
    });
  }

  it('chunked transfer coding, in chunks of any size, gets 200', async () => {
    const { body } = post(UNICODE_BODY);
    const connection = await RawConnection.open(forebay.url);
    for (const size of [1, 2, 3, 7, 20, 1000]) {
      const pieces = [
        'POST /orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n',
        'Transfer-Encoding: chunked\r\n\r\n',
      ];
      for (let at = 0; at < body.length; at += size) {
        const chunk = body.subarray(at, at + size);
        pieces.push(`${chunk.length.toString(16)}\r\n${chunk.toString('latin1')}\r\n`);
      }
      await connection.write(Buffer.from(`${pieces.join('')}0\r\n\r\n`, 'latin1'));
      assert.equal((await connection.answer()).status, 200, `chunks of ${size}`);
    }
    connection.destroy();
  });

  it('a too large body in chunks gets one 413, and the connection serves the next request', async () => {
    const { head, body } = post(' '.repeat(900));
    const connection = await RawConnection.open(forebay.url);
    await connection.writeApart([head, body.subarray(0, 300), body.subarray(300, 600)]);
    assert.equal((await connection.answer()).status, 413);
    await connection.writeApart([body.subarray(600)]);
    const next = post(VALID_BODY);
    await connection.writeApart([next.head, next.body]);
    assert.equal((await connection.answer()).status, 200);
    connection.destroy();
  });

  it('the rest of a too large body never reaches another request', async () => {
    const flood = post(VALID_BODY.repeat(20));
    const flooding = await RawConnection.open(forebay.url);
    await flooding.writeApart([flood.head, flood.body.subarray(0, 300)]);
    assert.equal((await flooding.answer()).status, 413);
    for (let at = 300; at < flood.body.length; at += 50) {
      const { head, body } = post(VALID_BODY);
      const other = await RawConnection.open(forebay.url);
      await other.writeApart([head, body.subarray(0, 30)]);
      // The other request is half read: if its slot were the old one, it would get these bytes.
      await flooding.writeApart([flood.body.subarray(at, at + 50)]);
      await other.write(body.subarray(30));
      assert.equal((await other.answer()).status, 200);
      other.destroy();
    }
    flooding.destroy();
  });
});

describe('clients that disconnect or are slow', () => {
  let forebay: ForebayProcess;
  before(async () => {
    const flags = [
      '--mode',
      'direct',
      '--rps-limit',
      '0',
      '--work-ms',
      '100',
      '--body-ms-max',
      '300',
    ];
    forebay = await startForebay(flags);
  });
  after(async () => assert.equal(await forebay.stop(), 0));

  it('a disconnect in the head, in the body or before the response does not affect others', async () => {
    const { head, body } = post(VALID_BODY);
    for (const pieces of [
      [head.slice(0, 20)],
      [head],
      [head, body.subarray(0, 30)],
      [head, body],
    ]) {
      for (let i = 0; i < 20; i++) {
        const connection = await RawConnection.open(forebay.url);
        await connection.writeApart(pieces);
        connection.destroy();
      }
    }
    // The pool may have a backlog of earlier orders.
    await eventually(
      'the server accepts orders',
      async () => (await postOrder(forebay.url, VALID_BODY)).status === 200,
    );
    await eventually(
      'nobody waits any more',
      async () => (await metric(forebay, 'forebay_waiting_orders')) === 0,
    );
    // node:http answers a client that may only have ended its own side.
    const abortedMin = ENGINE === 'node' ? 40 : 60;
    await eventually(
      'they are counted',
      async () => (await metric(forebay, 'forebay_aborted_requests_total')) >= abortedMin,
    );
  });

  it('a body that does not arrive in time ends the connection', async () => {
    const { head, body } = post(VALID_BODY);
    const connection = await RawConnection.open(forebay.url);
    await connection.write(head);
    await connection.write(body.subarray(0, 10));
    await connection.closed;
    assert.equal((await postOrder(forebay.url, VALID_BODY)).status, 200);
  });

  it('a pipelined request while the first one waits for its response does no harm', async () => {
    const { head, body } = post(VALID_BODY);
    const request = Buffer.concat([Buffer.from(head), body]);
    const connection = await RawConnection.open(forebay.url);
    await connection.write(Buffer.concat([request, request]));
    await Promise.race([connection.answer().catch(() => {}), connection.closed]);
    connection.destroy();
    assert.equal((await postOrder(forebay.url, VALID_BODY)).status, 200);
  });
});

describe('backpressure', () => {
  it('answers 503 with Retry-After while too many orders wait, and keeps none of the refused', async (t) => {
    const handler = await ledgerHandler(t, UNTIL_GO);
    const direct = ['--mode', 'direct', '--rps-limit', '0'];
    const flags = [...direct, '--handler', handler.file, '--waiting-orders-max', '1'];
    const forebay = await startForebay(flags, { owner: t });
    const first = postOrder(forebay.url, VALID_BODY);
    await eventually(
      'one waits',
      async () => (await metric(forebay, 'forebay_waiting_orders')) === 1,
    );
    const second = await postOrder(forebay.url, VALID_BODY);
    assert.equal(second.status, 503);
    assert.equal(second.body, '{"result":"busy"}');
    assert.match(second.headers['retry-after']!, /^[1-9][0-9]*$/);
    await handler.go();
    assert.equal((await first).status, 200);
    assert.equal(await metric(forebay, 'work_done_total{status="done"}'), 1);
    assert.equal(await forebay.stop(), 0);
  });

  it('answers 503 in direct mode when the handler fails', async (t) => {
    const flags = ['--mode', 'direct', '--rps-limit', '0', '--error-rate', '1'];
    const forebay = await startForebay(flags, { owner: t });
    assert.equal((await postOrder(forebay.url, VALID_BODY)).status, 503);
    assert.equal(await metric(forebay, 'work_done_total{status="error"}'), 1);
    assert.equal(await forebay.stop(), 0);
  });

  it('in direct mode an overload is answered with 503, and orders get 200 again afterwards', async (t) => {
    // What does not start in half the time of a frame is refused. The other half is for a machine that stalls: an order that
    // has started and is not done in time gets no answer.
    const flags = ['--mode', 'direct', '--rps-limit', '0', '--work-ms', '200', '--workers', '1'];
    const forebay = await startForebay([...flags, '--commit-ms-max', '20000'], { owner: t });
    const client = new OrderClient(forebay.url, 256);
    const early = await client.post('early');
    // More work than for that half, all at once.
    const rest = await client.postAll(Array.from({ length: 80 }, (_, i) => `u${i}`));
    const statuses = [early, ...rest].map(({ status }) => status);
    assert.deepEqual(new Set(statuses), new Set([200, 503]));
    const created = statuses.filter((status) => status === 200).length;
    assert.equal(await metric(forebay, 'work_done_total{status="done"}'), created);
    assert.equal((await client.post('afterwards')).status, 200);
    client.close();
    assert.equal(await forebay.stop(), 0);
  });
});
