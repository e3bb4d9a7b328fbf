import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { COUNTER } from '../../src/metrics/count.js';
import { CommitAmbiguous, CommitRefused } from '../../src/model/journal.js';
import { orderContract } from '../../src/schema/contract.js';
import { openValidator } from '../../src/schema/validator.js';
import type { ManualAppender } from '../commit/manual-appender.js';
import { eventually, orderBody } from '../support/orders.js';
import { Client, LIFE_NS, PENDING_NS, SimulatedThreads } from './simulated-threads.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function sendNext(appender: ManualAppender, at = 0) {
  await eventually('a frame is sent', () => appender.sent.length > at);
  return appender.sent[at];
}

describe('an order with an idempotency key', () => {
  it('is committed in its frame with its key and digest', async () => {
    const { appender, committer, post } = new SimulatedThreads().thread();
    post('k1');
    const bytes = new TextEncoder().encode(orderBody('without'));
    const validator = openValidator(orderContract);
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

  it('is accepted once; the same order is replayed in any thread; a different one conflicts', async () => {
    const threads = new SimulatedThreads();
    const [one, two] = [threads.thread(), threads.thread()];
    const first = one.post('k');
    const { frame, resolve } = await sendNext(one.appender);
    resolve(null);
    assert.equal(await first.answered(), `accepted ${frame.id}-0`);
    for (const { post } of [one, two]) {
      assert.equal(post('k').answer, `replayed ${frame.id}-0`);
      assert.equal(post('k', 'other').answer, 'reused');
    }
    assert.equal(two.counts.get(COUNTER.idempotentReplays), 1);
    threads.nowNs += LIFE_NS;
    assert.equal(two.post('k', 'other').answer, '');
  });

  it('is the same in every spelling, and has the digest that version 0.2.0 stored', async () => {
    const { appender, post, postBody } = new SimulatedThreads().thread();
    const first = post('k');
    const { frame, resolve } = await sendNext(appender);
    resolve(null);
    assert.equal(await first.answered(), `accepted ${frame.id}-0`);
    assert.equal(frame.keys[0].digest, '4f89b304b629de49');
    const { product_id, count } = JSON.parse(orderBody('a'));
    for (const body of [
      ` { "username" : "a" , "product_id" : "${product_id}" , "count" : "${count}" } `,
      `{"\\u0075sername":"\\u0061","product_id":"${product_id}","count":"${count}"}`,
    ]) {
      assert.equal(postBody('k', body).answer, `replayed ${frame.id}-0`);
    }
  });

  it('frees its key if its client disconnects before the frame is sent; keys behind it follow their orders', async () => {
    const threads = new SimulatedThreads();
    const [one, two] = [threads.thread(), threads.thread()];
    const [left, stayed] = [one.post('k1'), one.post('k2', 'b')];
    left.isGone = true;
    one.committer.withdrawGone();
    const { frame, resolve } = await sendNext(one.appender);
    assert.equal(left.answer, 'refused');
    assert.deepEqual(
      frame.keys.map(({ position, key }) => [position, key]),
      [[0, 'k2']],
    );
    const again = two.post('k1', 'other');
    const other = await sendNext(two.appender);
    other.resolve(null);
    resolve(null);
    assert.equal(await again.answered(), `accepted ${other.frame.id}-0`);
    assert.equal(await stayed.answered(), `accepted ${frame.id}-0`);
    assert.equal(two.post('k2', 'b').answer, `replayed ${frame.id}-0`);
  });

  it('is not committed if its client disconnected while it waited for the key', async () => {
    const threads = new SimulatedThreads();
    const { appender, post } = threads.thread();
    const first = post('k');
    const { reject } = await sendNext(appender);
    const later = post('k');
    later.isGone = true;
    reject(new CommitRefused('full'));
    await first.answered();
    assert.equal(await later.answered(), 'refused');
    assert.equal(appender.sent.length, 1);
    assert.equal(post('k').answer, '');
    assert.equal((await sendNext(appender, 1)).frame.count, 1);
  });

  it('waits in any thread while an order with the same key is pending, and then gets the same answer', async () => {
    const threads = new SimulatedThreads();
    const [one, two] = [threads.thread(), threads.thread()];
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

  it('whose commit is refused releases the key: one waiting request reserves it', async () => {
    const threads = new SimulatedThreads();
    const [one, two] = [threads.thread(), threads.thread()];
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

  it('that the committer does not take releases the key at once', async () => {
    const { appender, post } = new SimulatedThreads().thread();
    appender.writable = false;
    assert.equal(post('k').answer, 'refused');
    appender.writable = true;
    const client = post('k', 'other');
    (await sendNext(appender)).resolve(null);
    assert.match(await client.answered(), /^accepted/);
  });

  it('refused individually, as in direct mode, releases only its own key', async () => {
    const { appender, post } = new SimulatedThreads().thread();
    const clients = [post('good'), post('bad')];
    (await sendNext(appender)).resolve(Uint8Array.of(1, 0));
    assert.match(await clients[0].answered(), /^accepted/);
    assert.equal(clients[1].answer, 'refused');
    assert.match(post('good').answer, /^replayed/);
    assert.equal(post('bad').answer, '');
  });
});

/** A frame fails after this time and a grace of 500 ms. Longer than a busy machine keeps a test waiting. */
const FAIL_MS = 3000;

describe('an order with an unknown outcome', () => {
  it('keeps its key: the same request is refused, unless the journal has the order', async () => {
    const threads = new SimulatedThreads();
    const { appender, post } = threads.thread();
    const first = post('k');
    const { frame, reject } = await sendNext(appender);
    reject(new CommitAmbiguous('no ack'));
    assert.equal(await first.answered(), 'ambiguous');
    threads.nowNs += LIFE_NS - 1;
    for (const receipt of ['unknown', null] as const) {
      threads.receipt = receipt;
      assert.equal(await post('k').answered(), 'refused');
      assert.equal(await post('k', 'other').answered(), 'refused');
    }
    assert.deepEqual(new Set(threads.lookups), new Set([`${frame.id}-0`]));
    threads.receipt = 'accepted';
    assert.equal(await post('k').answered(), `replayed ${frame.id}-0`);
    assert.equal(post('k', 'other').answer, 'reused');
  });

  it('is remembered if its commit succeeds later', async () => {
    const { appender, post } = new SimulatedThreads({ commitMsMax: FAIL_MS }).thread();
    const first = post('k');
    const { frame, resolve } = await sendNext(appender);
    assert.equal(await first.answered(), 'ambiguous');
    assert.equal(await post('k').answered(), 'refused');
    resolve(null);
    await turn();
    assert.equal(post('k').answer, `replayed ${frame.id}-0`);
  });

  it('releases its key if its commit is refused later', async () => {
    const { appender, post } = new SimulatedThreads({ commitMsMax: FAIL_MS }).thread();
    const first = post('k');
    const { reject } = await sendNext(appender);
    assert.equal(await first.answered(), 'ambiguous');
    reject(new CommitRefused('full'));
    await turn();
    const second = post('k');
    (await sendNext(appender, 1)).resolve(null);
    assert.match(await second.answered(), /^accepted/);
  });

  it('whose thread died is looked up in the journal after the pending time', async () => {
    const threads = new SimulatedThreads();
    const [dead, two] = [threads.thread(), threads.thread()];
    dead.post('k');
    const { frame } = await sendNext(dead.appender);
    const waiting = two.post('k');
    await turn();
    assert.equal(waiting.answer, '');
    threads.nowNs += PENDING_NS;
    assert.equal(await waiting.answered(), 'refused');
    assert.equal(await two.post('k').answered(), 'refused');
    threads.receipt = 'done';
    assert.equal(await two.post('k').answered(), `replayed ${frame.id}-0`);
  });
});

describe('a request that waits for an order with the same key', () => {
  it('is dropped if its client disconnects, and does not reserve the key', async () => {
    const { appender, post, intake } = new SimulatedThreads().thread();
    const first = post('k');
    const gone = post('k');
    gone.isGone = true;
    // The answer frees the slot; it is not sent to a client that has disconnected.
    assert.equal(await gone.answered(), 'refused');
    (await sendNext(appender)).reject(new CommitRefused('full'));
    await first.answered();
    await intake.drained();
    assert.equal(appender.sent.length, 1);
  });

  it('does not reserve the key while the server stops, and the stop waits for it', async () => {
    const { appender, post, intake } = new SimulatedThreads().thread();
    post('k');
    const second = post('k');
    const drained = intake.drained();
    (await sendNext(appender)).reject(new CommitRefused('full'));
    await drained;
    assert.equal(second.answer, 'refused');
    assert.equal(appender.sent.length, 1);
  });
});

describe('a full key table', () => {
  it('refuses new keys, counts the refusals, and still finds the others', async () => {
    const threads = new SimulatedThreads({ keysMax: 2 });
    const { appender, post, counts } = threads.thread();
    post('k1');
    post('k2');
    (await sendNext(appender)).resolve(null);
    await turn();
    assert.equal(post('k3').answer, 'refused');
    assert.equal(counts.get(COUNTER.idempotencyRefused), 1);
    assert.match(post('k1').answer, /^replayed/);
    threads.nowNs += LIFE_NS;
    assert.equal(post('k3').answer, '');
  });
});
