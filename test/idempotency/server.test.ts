import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ledgerHandler, UNTIL_GO } from '../drain/handlers.js';
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { ENGINE, SEVERAL_THREADS } from '../support/http-engine.js';
import { eventually, metric, orderBody } from '../support/orders.js';
import { post, postOrder, RawConnection, VALID_BODY } from '../support/raw-http.js';
import { KeyedPoster } from './keyed-post.js';

const DIRECT = ['--mode', 'direct', '--rps-limit', '0'];

const SPELLINGS = [
  '{"product_id":"33","count":"3","username":"maksim.konovalov"}',
  ' {"username" : "maksim.konovalov","count":"3",\n"product_id":"33"}\t',
  '{"product_id":"3\\u0033","count":"3","username":"maksim.konov\\u0061lov"}',
  '{"\\u0070roduct_id":"33","count":"3","username":"maksim.konovalov"}',
];
const UNICODE_SPELLINGS = [
  '{"product_id":"33","count":"3","username":"Ма\\"кс/и\\\\м 🛒"}',
  '{"username":"Ма\\u0022кс\\/и\\u005cм \\ud83d\\uDED2","product_id":"33","count":"3"}',
];

describe('the Idempotency-Key header', () => {
  let forebay: ForebayProcess;
  let poster: KeyedPoster;
  before(async () => {
    forebay = await startForebay(['--threads', SEVERAL_THREADS, '--body-bytes-max', '256']);
    poster = new KeyedPoster(forebay.url);
  });
  after(async () => {
    poster.close();
    assert.equal(await forebay.stop(), 0);
  });

  for (const [name, spellings] of [
    ['ASCII', SPELLINGS],
    ['beyond ASCII', UNICODE_SPELLINGS],
  ] as const) {
    it(`returns the first response again for an equivalent body: ${name}`, async () => {
      const first = await poster.post(`spelt ${name}`.replaceAll(' ', '-'), spellings[0]);
      assert.deepEqual([first.status, first.isReplay], [200, false]);
      for (const spelling of spellings) {
        const again = await poster.post(`spelt ${name}`.replaceAll(' ', '-'), spelling);
        assert.deepEqual(again, { ...first, isReplay: true });
      }
    });
  }

  it('answers 422 to another order with the same key, and keeps the first', async () => {
    const first = await poster.post('reused', orderBody('first'));
    const other = await poster.post('reused', orderBody('other'));
    assert.deepEqual([other.status, other.body, other.id], [422, '{"result":"key-reused"}', '']);
    const again = await poster.post('reused', orderBody('first'));
    assert.equal(again.id, first.id);
  });

  for (const key of ['!', '~', 'a', 'k'.repeat(64), '{"a":"b"}', ',;=']) {
    it(`accepts the key ${key}`, async () => {
      const first = await poster.post(key, VALID_BODY);
      const again = await poster.post(key, VALID_BODY);
      assert.deepEqual([first.status, again.status, again.id], [200, 200, first.id]);
    });
  }

  for (const key of ['k'.repeat(65), 'a b', 'a\tb']) {
    it(`answers 400 to an invalid key: ${JSON.stringify(key)}`, async () => {
      const answer = await postOrder(forebay.url, VALID_BODY, { 'Idempotency-Key': key });
      assert.equal(answer.status, 400);
      assert.equal(answer.body, '{"result":"invalid"}');
      assert.equal(answer.headers['x-invalid'], 'idempotency-key');
    });
  }

  it('is no valid header if it has a control character', async () => {
    const answer = await postOrder(forebay.url, VALID_BODY, { 'Idempotency-Key': 'a\x7f' });
    assert.equal(answer.status, 400);
  });

  it('is ignored if it is empty', async () => {
    const ids = await Promise.all(['', ''].map((key) => idOfOrder({ 'Idempotency-Key': key })));
    assert.equal(new Set(ids).size, ids.length);
  });

  it('is ignored by uWebSockets.js if its first byte is not ASCII, and invalid for node:http', async () => {
    const headers = { 'Idempotency-Key': 'ключ' };
    if (ENGINE === 'uws') {
      assert.notEqual(await idOfOrder(headers), await idOfOrder(headers));
      return;
    }
    const answer = await postOrder(forebay.url, VALID_BODY, headers);
    assert.deepEqual([answer.status, answer.headers['x-invalid']], [400, 'idempotency-key']);
  });

  async function idOfOrder(headers: Readonly<Record<string, string>>): Promise<string> {
    const answer = await postOrder(forebay.url, VALID_BODY, headers);
    assert.equal(answer.status, 200);
    return answer.headers['x-order-id']!;
  }

  it('is checked after the media type and before the body', async () => {
    const bad = { 'Idempotency-Key': 'a b' };
    const type = await postOrder(forebay.url, VALID_BODY, { ...bad, 'Content-Type': 'text/plain' });
    assert.equal(type.status, 415);
    const huge = await postOrder(forebay.url, ' '.repeat(300), bad);
    assert.deepEqual([huge.status, huge.headers['x-invalid']], [400, 'idempotency-key']);
    const wrong = await postOrder(forebay.url, '{}', { 'Idempotency-Key': 'good' });
    assert.deepEqual([wrong.status, wrong.headers['x-invalid']], [400, '/ required product_id']);
    assert.equal((await poster.post('good', ' '.repeat(300))).status, 413);
    assert.equal((await poster.post('good', VALID_BODY)).isReplay, false);
  });

  it('works for bodies that arrive in several chunks', async () => {
    const { head, body } = post(VALID_BODY, { 'Idempotency-Key': 'pieces' });
    const connection = await RawConnection.open(forebay.url);
    const ids = [];
    for (const at of [1, 20, body.length - 1]) {
      await connection.writeApart([head, body.subarray(0, at), body.subarray(at)]);
      const answer = await connection.answer();
      assert.equal(answer.status, 200);
      ids.push(answer.headers['x-order-id']);
    }
    connection.destroy();
    assert.equal(new Set(ids).size, 1);
  });
});

describe('concurrent requests with one key, in several intake threads', () => {
  it('50 at once: one order is processed, 49 are replays of it', async (t) => {
    const handler = await ledgerHandler(t);
    const flags = ['--threads', SEVERAL_THREADS, '--handler', handler.file];
    const forebay = await startForebay(flags, { owner: t });
    const posters = Array.from({ length: 50 }, () => new KeyedPoster(forebay.url, 1));
    t.after(() => {
      for (const poster of posters) poster.close();
    });
    // Connect first, so that the requests arrive together.
    await Promise.all(posters.map((poster, i) => poster.post(`warm-${i}`, orderBody('warm'))));
    for (let round = 0; round < 20; round++) {
      const body = orderBody(`round-${round}`);
      const answers = await Promise.all(posters.map((poster) => poster.post(`k-${round}`, body)));
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
      assert.equal(new Set(answers.map(({ id }) => id)).size, 1);
      assert.equal(answers.filter(({ isReplay }) => isReplay).length, 49);
    }
    assert.equal(await metric(forebay, 'forebay_idempotent_replays_total'), 20 * 49);
    assert.equal(await metric(forebay, 'forebay_idempotency_keys'), 70);
    await eventually('all are processed', async () => (await handler.lines()).length === 70);
    assert.equal(await metric(forebay, 'forebay_orders_accepted_total'), 70);
    assert.equal(await forebay.stop(), 0);
  });

  it('clients that disconnect while they wait do not affect others', async (t) => {
    const handler = await ledgerHandler(t, UNTIL_GO);
    const flags = [...DIRECT, '--handler', handler.file, '--threads', SEVERAL_THREADS];
    const forebay = await startForebay(flags, { owner: t });
    const poster = new KeyedPoster(forebay.url);
    t.after(() => poster.close());
    const first = poster.post('k', VALID_BODY);
    await eventually(
      'it waits',
      async () => (await metric(forebay, 'forebay_waiting_orders')) === 1,
    );
    const { head, body } = post(VALID_BODY, { 'Idempotency-Key': 'k' });
    // A reset can overtake the request.
    while ((await metric(forebay, 'forebay_aborted_requests_total')) < 20) {
      const connection = await RawConnection.open(forebay.url);
      await connection.writeApart([head, body]);
      connection.reset();
    }
    const patient = poster.post('k', VALID_BODY);
    await handler.go();
    const { id } = await first;
    assert.deepEqual([(await patient).id, (await patient).isReplay], [id, true]);
    assert.equal(await metric(forebay, 'work_done_total{status="done"}'), 1);
    assert.equal(await forebay.stop(), 0);
  });
});

describe('bounds and refusals', () => {
  it('a key is forgotten after --idempotency-s', async (t) => {
    const forebay = await startForebay(['--idempotency-s', '1'], { owner: t });
    const poster = new KeyedPoster(forebay.url);
    t.after(() => poster.close());
    const first = await poster.post('k', VALID_BODY);
    assert.equal(first.status, 200);
    await sleep(1100);
    const other = await poster.post('k', orderBody('other'));
    assert.deepEqual([other.status, other.isReplay], [200, false]);
    assert.notEqual(other.id, first.id);
    await sleep(1100);
    assert.equal(await metric(forebay, 'forebay_idempotency_keys'), 0);
    assert.equal(await forebay.stop(), 0);
  });

  it('above --idempotency-keys-max new keys are refused and counted, and known keys replayed', async (t) => {
    const flags = ['--idempotency-keys-max', '1000', '--threads', SEVERAL_THREADS];
    const forebay = await startForebay(flags, { owner: t });
    const poster = new KeyedPoster(forebay.url);
    t.after(() => poster.close());
    const keys = Array.from({ length: 1000 }, (_, i) => `k-${i}`);
    const answers = await Promise.all(keys.map((key) => poster.post(key, VALID_BODY)));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    const full = await poster.post('one-more', VALID_BODY);
    assert.deepEqual([full.status, full.body], [503, '{"result":"busy"}']);
    assert.equal(await metric(forebay, 'forebay_idempotency_refused_total'), 1);
    assert.equal(await metric(forebay, 'forebay_idempotency_keys'), 1000);
    assert.equal((await poster.post('k-0', VALID_BODY)).isReplay, true);
    assert.equal((await postOrder(forebay.url, VALID_BODY)).status, 200);
    assert.equal(await forebay.stop(), 0);
  });

  it('an order that is refused because the queue is full releases its key', async (t) => {
    const handler = await ledgerHandler(t, UNTIL_GO);
    const flags = [...DIRECT, '--handler', handler.file, '--waiting-orders-max', '1'];
    const forebay = await startForebay(flags, { owner: t });
    const poster = new KeyedPoster(forebay.url);
    t.after(() => poster.close());
    const first = poster.post('first', VALID_BODY);
    await eventually(
      'it waits',
      async () => (await metric(forebay, 'forebay_waiting_orders')) === 1,
    );
    assert.equal((await poster.post('second', VALID_BODY)).status, 503);
    await handler.go();
    await first;
    const again = await poster.post('second', orderBody('another one'));
    assert.deepEqual([again.status, again.isReplay], [200, false]);
    assert.equal(await forebay.stop(), 0);
  });

  it('in direct mode an order that the handler fails releases its key', async (t) => {
    const handler = await ledgerHandler(
      t,
      `return orders.map(({ data }) => (data.username === 'bad' ? 'dead' : 'done'));`,
    );
    const flags = ['--mode', 'direct', '--rps-limit', '0', '--handler', handler.file];
    const forebay = await startForebay(flags, { owner: t });
    const poster = new KeyedPoster(forebay.url);
    t.after(() => poster.close());
    assert.equal((await poster.post('k', orderBody('bad'))).status, 503);
    assert.equal((await poster.post('k', orderBody('good'))).isReplay, false);
    assert.equal((await poster.post('k', orderBody('good'))).isReplay, true);
    assert.deepEqual(
      (await handler.lines()).map(({ username }) => username),
      ['bad', 'good'],
    );
    assert.equal(await forebay.stop(), 0);
  });
});
