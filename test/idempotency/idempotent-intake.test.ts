import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { COUNTER } from '../../src/metrics/count.js';
import { CommitAmbiguous, CommitRefused } from '../../src/model/journal.js';
import { OrderValidator } from '../../src/schema/validator.js';
import type { HeldAppender } from '../commit/held-appender.js';
import { eventually, orderBody } from '../support/orders.js';
import { Client, LIFE_NS, PENDING_NS, Shop } from './key-shop.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function sendNext(appender: HeldAppender, at = 0) {
  await eventually('a frame is sent', () => appender.sent.length > at);
  return appender.sent[at];
}

describe('an order with an idempotency key', () => {
  it('travels in its frame with its key and digest', async () => {
    const { appender, committer, post } = new Shop().thread();
    post('k1');
    const bytes = new TextEncoder().encode(orderBody('without'));
    const validator = new OrderValidator();
    validator.validate(bytes, 0, bytes.length);
    assert.ok(committer.take(validator, new Client()));
    post('k2', 'b');
    const { frame } = await sendNext(appender);
    assert.equal(frame.count, 3);
    assert.deepEqual(
      frame.keys.map(({ position, key }) => [position, key]),
      [
        [0, 'k1'],
        [2, 'k2'],
      ],
    );
    for (const { digest } of frame.keys) assert.match(digest, /^[0-9a-f]{16}$/);
    assert.notEqual(frame.keys[0].digest, frame.keys[1].digest);
  });

  it('is accepted once; the same again is replayed, in any thread; another is told so', async () => {
    const shop = new Shop();
    const [one, two] = [shop.thread(), shop.thread()];
    const first = one.post('k');
    const { frame, resolve } = await sendNext(one.appender);
    resolve(null);
    assert.equal(await first.answered(), `accepted ${frame.id}-0`);
    for (const { post } of [one, two]) {
      assert.equal(post('k').answer, `replayed ${frame.id}-0`);
      assert.equal(post('k', 'other').answer, 'reused');
    }
    assert.equal(two.counts.get(COUNTER.idempotentReplays), 1);
    shop.nowNs += LIFE_NS;
    assert.equal(two.post('k', 'other').answer, '');
  });

  it('waits while the same key is on its way, in any thread, and then has the same answer', async () => {
    const shop = new Shop();
    const [one, two] = [shop.thread(), shop.thread()];
    const first = one.post('k');
    const later = [one.post('k'), two.post('k'), two.post('k', 'other')];
    const { frame, resolve } = await sendNext(one.appender);
    assert.deepEqual(
      later.map(({ answer }) => answer),
      ['', '', ''],
    );
    resolve(null);
    await first.answered();
    assert.deepEqual(await Promise.all(later.map((client) => client.answered())), [
      `replayed ${frame.id}-0`,
      `replayed ${frame.id}-0`,
      'reused',
    ]);
    assert.equal(one.appender.sent.length + two.appender.sent.length, 1);
  });

  it('whose commit is refused frees the key: one of those who wait takes it over', async () => {
    const shop = new Shop();
    const [one, two] = [shop.thread(), shop.thread()];
    const first = one.post('k');
    const later = [two.post('k', 'b'), two.post('k', 'b')];
    (await sendNext(one.appender)).reject(new CommitRefused('full'));
    assert.equal(await first.answered(), 'refused');
    const { frame, resolve } = await sendNext(two.appender);
    assert.equal(frame.keys[0].key, 'k');
    assert.equal(Buffer.from(frame.payload).toString(), `${orderBody('b')}\n`);
    resolve(null);
    assert.deepEqual(await Promise.all(later.map((client) => client.answered())), [
      `accepted ${frame.id}-0`,
      `replayed ${frame.id}-0`,
    ]);
  });

  it('that the committer does not take frees the key at once', async () => {
    const { appender, post } = new Shop().thread();
    appender.writable = false;
    assert.equal(post('k').answer, 'refused');
    appender.writable = true;
    const client = post('k', 'other');
    (await sendNext(appender)).resolve(null);
    assert.match(await client.answered(), /^accepted/);
  });

  it('refused one by one, as direct mode does, frees only its own key', async () => {
    const { appender, post } = new Shop().thread();
    const clients = [post('good'), post('bad')];
    (await sendNext(appender)).resolve(Uint8Array.of(1, 0));
    assert.match(await clients[0].answered(), /^accepted/);
    assert.equal(clients[1].answer, 'refused');
    assert.match(post('good').answer, /^replayed/);
    assert.equal(post('bad').answer, '');
  });
});

describe('an order of which nobody knows whether it was kept', () => {
  it('keeps its key: the same again is refused, unless the journal has the order', async () => {
    const shop = new Shop();
    const { appender, post } = shop.thread();
    const first = post('k');
    const { frame, reject } = await sendNext(appender);
    reject(new CommitAmbiguous('no ack'));
    assert.equal(await first.answered(), 'ambiguous');
    shop.nowNs += LIFE_NS - 1;
    for (const receipt of ['unknown', null] as const) {
      shop.receipt = receipt;
      assert.equal(await post('k').answered(), 'refused');
      assert.equal(await post('k', 'other').answered(), 'refused');
    }
    assert.deepEqual(new Set(shop.asked), new Set([`${frame.id}-0`]));
    shop.receipt = 'accepted';
    assert.equal(await post('k').answered(), `replayed ${frame.id}-0`);
    assert.equal(post('k', 'other').answer, 'reused');
  });

  it('is remembered when it turns out to be kept after all', async () => {
    const { appender, post } = new Shop({ commitMsMax: 50 }).thread();
    const first = post('k');
    const { frame, resolve } = await sendNext(appender);
    assert.equal(await first.answered(), 'ambiguous');
    assert.equal(await post('k').answered(), 'refused');
    resolve(null);
    await turn();
    assert.equal(post('k').answer, `replayed ${frame.id}-0`);
  });

  it('frees its key when it turns out to be refused after all', async () => {
    const { appender, post } = new Shop({ commitMsMax: 50 }).thread();
    const first = post('k');
    const { reject } = await sendNext(appender);
    assert.equal(await first.answered(), 'ambiguous');
    reject(new CommitRefused('full'));
    await turn();
    const second = post('k');
    (await sendNext(appender, 1)).resolve(null);
    assert.match(await second.answered(), /^accepted/);
  });

  it('whose thread died is looked for in the journal once its time is over', async () => {
    const shop = new Shop();
    const [dead, two] = [shop.thread(), shop.thread()];
    dead.post('k');
    const { frame } = await sendNext(dead.appender);
    const waiting = two.post('k');
    await turn();
    assert.equal(waiting.answer, '');
    shop.nowNs += PENDING_NS;
    assert.equal(await waiting.answered(), 'refused');
    assert.equal(await two.post('k').answered(), 'refused');
    shop.receipt = 'done';
    assert.equal(await two.post('k').answered(), `replayed ${frame.id}-0`);
  });
});

describe('who waits for another order under the same key', () => {
  it('and goes away is forgotten, and takes nothing over', async () => {
    const { appender, post, intake } = new Shop().thread();
    const first = post('k');
    const gone = post('k');
    gone.isGone = true;
    // The slot behind it is freed by being answered, which does nothing to a client that is gone.
    assert.equal(await gone.answered(), 'refused');
    (await sendNext(appender)).reject(new CommitRefused('full'));
    await first.answered();
    await intake.drained();
    assert.equal(appender.sent.length, 1);
  });

  it('takes nothing over while the server stops, which waits for it', async () => {
    const { appender, post, intake } = new Shop().thread();
    post('k');
    const second = post('k');
    const drained = intake.drained();
    (await sendNext(appender)).reject(new CommitRefused('full'));
    await drained;
    assert.equal(second.answer, 'refused');
    assert.equal(appender.sent.length, 1);
  });
});

describe('a full table of keys', () => {
  it('refuses keys that are new, counts that, and still knows the others', async () => {
    const shop = new Shop({ keysMax: 2 });
    const { appender, post, counts } = shop.thread();
    post('k1');
    post('k2');
    (await sendNext(appender)).resolve(null);
    await turn();
    assert.equal(post('k3').answer, 'refused');
    assert.equal(counts.get(COUNTER.idempotencyRefused), 1);
    assert.match(post('k1').answer, /^replayed/);
    shop.nowNs += LIFE_NS;
    assert.equal(post('k3').answer, '');
  });
});
