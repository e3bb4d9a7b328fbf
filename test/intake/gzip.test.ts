import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { constants, deflateSync, gzipSync } from 'node:zlib';
import { ledgerHandler } from '../drain/handlers.js';
import { ENGINES } from '../support/engines.js';
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { eventually, metric, orderBody } from '../support/orders.js';
import { post, postOrder, RawConnection, VALID_BODY } from '../support/raw-http.js';

const BODY_BYTES_MAX = 4096;
const CODED = gzipSync(VALID_BODY);
/** With all parts that the header of a member can have: extra field, file name, comment. */
const FULL_HEADER = Buffer.concat([
  Buffer.from([0x1f, 0x8b, 8, 0b0001_1100, 0, 0, 0, 0, 0, 3]),
  Buffer.from([2, 0, 0x41, 0x42]),
  Buffer.from('order.json\0comment\0'),
  CODED.subarray(10),
]);

function changed(at: number): Buffer {
  const copy = Buffer.from(CODED);
  copy[copy.length + at]! ^= 1;
  return copy;
}

function spaces(bytes: number): Buffer {
  return Buffer.from(VALID_BODY + ' '.repeat(bytes - VALID_BODY.length));
}

const ACCEPTED: readonly (readonly [string, Uint8Array])[] = [
  ['one member', CODED],
  ['level 0', gzipSync(VALID_BODY, { level: 0 })],
  ['level 9', gzipSync(VALID_BODY, { level: 9 })],
  ['fixed codes', gzipSync(VALID_BODY, { strategy: constants.Z_FIXED })],
  ['a header with every field', FULL_HEADER],
  ['two members', Buffer.concat([gzipSync(VALID_BODY.slice(0, 9)), gzipSync(VALID_BODY.slice(9))])],
  ['empty members around it', Buffer.concat([gzipSync(''), CODED, gzipSync('')])],
  ['as long as a body may be', gzipSync(spaces(BODY_BYTES_MAX))],
];

const NOT_GZIP: readonly (readonly [string, Uint8Array])[] = [
  ['an empty body', Buffer.alloc(0)],
  ['JSON that is not coded', Buffer.from(VALID_BODY)],
  ['deflate', deflateSync(VALID_BODY)],
  ['no trailer', CODED.subarray(0, -8)],
  ['half a header', CODED.subarray(0, 5)],
  ['a wrong CRC', changed(-8)],
  ['a wrong length', changed(-1)],
  ['a wrong compression method', Buffer.from([0x1f, 0x8b, 7, ...CODED.subarray(3)])],
  ['text behind it', Buffer.concat([CODED, Buffer.from('x')])],
  ['zeros behind it', Buffer.concat([CODED, Buffer.alloc(3)])],
  ['half a member behind it', Buffer.concat([CODED, CODED.subarray(0, 12)])],
  ['zeros between members', Buffer.concat([gzipSync(''), Buffer.alloc(1), CODED])],
];

/** Bodies that inflate to more than a body may have, up to a thousand times as much as they are. */
const TOO_LARGE: readonly (readonly [string, Uint8Array])[] = [
  ['one byte more', gzipSync(spaces(BODY_BYTES_MAX + 1))],
  ['a bomb', gzipSync(Buffer.alloc(3_000_000, ' '))],
  ['a bomb of many members', Buffer.concat(Array(60).fill(gzipSync(Buffer.alloc(20_000))))],
  ['more than a body may be before it is inflated', gzipSync(spaces(5000), { level: 0 })],
];

for (const { http, skip } of ENGINES) {
  describe(`gzip with --http ${http}`, { skip }, () => {
    let forebay: ForebayProcess;
    before(async () => {
      forebay = await startForebay(['--http', http]);
    });
    after(async () => assert.equal(await forebay.stop(), 0));

    const send = (body: Uint8Array, coding = 'gzip') =>
      postOrder(forebay.url, body, { 'Content-Encoding': coding });

    for (const [name, body] of ACCEPTED) {
      it(`takes ${name}`, async () => assert.equal((await send(body)).status, 200));
    }

    for (const [name, body] of NOT_GZIP) {
      it(`refuses ${name}`, async () => {
        const answer = await send(body);
        assert.deepEqual([answer.status, answer.headers['x-invalid']], [400, '/ gzip']);
      });
    }

    for (const [name, body] of TOO_LARGE) {
      it(`answers 413 to ${name}`, async () => {
        const answer = await send(body);
        assert.deepEqual([answer.status, answer.body], [413, '{"result":"too-large"}']);
      });
    }

    it('refuses every cut of a body', async () => {
      const connection = await RawConnection.open(forebay.url);
      for (let at = 0; at < CODED.length; at++) {
        const { head, body } = post(CODED.subarray(0, at), { 'Content-Encoding': 'gzip' });
        await connection.write(Buffer.concat([Buffer.from(head), body]));
        const answer = await connection.answer();
        assert.equal(answer.status, 400, `cut at ${at}`);
      }
      connection.destroy();
    });

    it('takes a body that arrives in pieces', async () => {
      const { head, body } = post(CODED, { 'Content-Encoding': 'gzip' });
      const connection = await RawConnection.open(forebay.url);
      for (let at = 1; at < body.length; at += 7) {
        await connection.writeApart([head, body.subarray(0, at)]);
        await connection.write(body.subarray(at));
        assert.equal((await connection.answer()).status, 200, `split at ${at}`);
      }
      connection.destroy();
    });

    it('knows its other name, and any capitals', async () => {
      for (const coding of ['GZIP', 'x-gzip', 'X-Gzip']) {
        assert.equal((await send(CODED, coding)).status, 200, coding);
      }
    });

    it('answers 415 to other codings, and says which one it takes', async () => {
      for (const coding of ['deflate', 'br', 'zstd', 'gzip, gzip', 'gzip, br', 'gzip;q=1', 'x']) {
        const answer = await send(CODED, coding);
        assert.deepEqual([answer.status, answer.headers['accept-encoding']], [415, 'gzip'], coding);
      }
      assert.equal((await send(Buffer.from(VALID_BODY), 'identity')).status, 200);
    });

    it('names the fault of the body that was inflated', async () => {
      const answer = await send(gzipSync(VALID_BODY.replace('"3"', '"x"')));
      assert.deepEqual([answer.status, answer.headers['x-invalid']], [400, '/count pattern']);
    });

    it('is answered like the same order without it, with one idempotency key', async () => {
      const key = { 'Idempotency-Key': `gzip-${http}` };
      const plain = await postOrder(forebay.url, VALID_BODY, key);
      const coded = await postOrder(forebay.url, CODED, { ...key, 'Content-Encoding': 'gzip' });
      assert.deepEqual(
        [coded.status, coded.headers['x-order-id'], coded.headers['idempotent-replay']],
        [200, plain.headers['x-order-id'], 'true'],
      );
    });

    it('counts the requests', async () => {
      const count = () => metric(forebay, 'forebay_gzip_requests_total');
      const before = await count();
      await send(CODED);
      await send(Buffer.from('x'));
      assert.equal(await count(), before + 2);
    });
  });
}

describe('an order that was sent with gzip', () => {
  it('reaches the handler as it was before', async (t) => {
    const handler = await ledgerHandler(t);
    const forebay = await startForebay(['--handler', handler.file], { owner: t });
    const body = gzipSync(orderBody('Ма́ксим 🛒'));
    const answer = await postOrder(forebay.url, body, { 'Content-Encoding': 'gzip' });
    assert.equal(answer.status, 200);
    await eventually('it is done', async () => (await handler.lines()).length === 1);
    const [line] = await handler.lines();
    assert.deepEqual([line!.id, line!.username], [answer.headers['x-order-id'], 'Ма́ксим 🛒']);
  });
});
