import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { orderId } from '../../src/model/frame.js';
import { type Appender, CommitRefused, type Source } from '../../src/model/journal.js';
import { appendInThread } from './append-in-thread.js';
import { commitAll, fresh, line, NOTHING, plain, take, takeFor, until } from './frames.js';
import type { JournalUnderTest } from './journal-under-test.js';
import { testRefiling } from './refiling-conformance.js';

/** What every journal guarantees. `create` makes an empty one. */
export function testJournal(name: string, create: () => Promise<JournalUnderTest>): void {
  describe(`${name}: as every journal`, () => {
    let journal: JournalUnderTest;
    let appender: Appender;
    let source: Source;
    let accepted = 0;

    async function commit(...counts: number[]) {
      const frames = counts.map((count) => fresh(count));
      await commitAll(appender, frames);
      for (const { count } of frames) accepted += count;
      return frames;
    }

    async function reopen() {
      await appender.close();
      await source.close();
      appender = await journal.openAppender();
      source = await journal.openSource(() => accepted);
    }

    before(async () => {
      journal = await create();
      appender = await journal.openAppender();
      source = await journal.openSource(() => accepted);
    });

    after(async () => {
      await appender?.close();
      await source?.close();
      await journal?.remove();
    });

    test('frames are delivered unchanged and in order, and settled', async () => {
      const frames = await commit(1, 64, 3);
      const taken = await take(source, 3);
      assert.deepEqual(
        taken.map(({ frame }) => plain(frame)),
        frames.map(plain),
      );
      for (const delivery of taken) await delivery.settle(NOTHING);
      assert.deepEqual(await takeFor(source, 600), []);
    });

    test('a pull waits for a frame that is committed later', async () => {
      const waiting = take(source, 1);
      const [frame] = await commit(2);
      const [delivery] = await waiting;
      assert.equal(delivery!.frame.id, frame!.id);
      await delivery!.settle(NOTHING);
    });

    test('a pull returns at most the requested frames, and claimed frames only once', async () => {
      const frames = await commit(1, 1, 1, 1, 1, 1, 1);
      const ids = new Set<string>();
      const sizes = [];
      const inHand = [];
      while (ids.size < frames.length) {
        const some = await source.pull(3, AbortSignal.timeout(20_000));
        sizes.push(some.length);
        for (const delivery of some) {
          assert.ok(!ids.has(delivery.frame.id));
          ids.add(delivery.frame.id);
          inHand.push(delivery);
        }
      }
      assert.ok(Math.max(...sizes) <= 3);
      assert.deepEqual(await takeFor(source, 600), []);
      await Promise.all(inHand.map((delivery) => delivery.settle(NOTHING)));
    });

    test('a released frame is delivered again, unchanged', async () => {
      const [frame] = await commit(5);
      const [first] = await take(source, 1);
      first!.release();
      const [second] = await take(source, 1);
      assert.deepEqual(plain(second!.frame), plain(frame!));
      await second!.settle(NOTHING);
    });

    testRefiling({ source: () => source, commit });

    test('one settlement can have done, refiled and dead orders', async () => {
      const before = (await journal.deadLetters()).length;
      const [frame] = await commit(4);
      const [first] = await take(source, 1);
      const startedMs = Date.now();
      await first!.settle({
        refile: [{ positions: [2], attempt: 2, notBeforeMs: 0 }],
        dead: [
          { position: 1, reason: 'no such product: "ü"\nsecond line' },
          { position: 3, reason: 'attempts used up' },
        ],
      });
      const letters = (await journal.deadLetters()).slice(before);
      assert.deepEqual(letters.map(({ orderId }) => orderId).sort(), [
        `${frame!.id}-1`,
        `${frame!.id}-3`,
      ]);
      const letter = letters.find(({ orderId }) => orderId.endsWith('-1'))!;
      assert.match(letter.reason, /^no such product: "ü"\s+second line$/);
      assert.equal(letter.attempts, 1);
      assert.equal(letter.firstAtMs, frame!.acceptedAtMs);
      assert.ok(letter.lastAtMs >= startedMs && letter.lastAtMs <= Date.now());
      assert.equal(Buffer.from(letter.body).toString('utf8'), line(frame!, 1));
      const [again] = await take(source, 1);
      assert.equal(orderId(again!.frame, 0), `${frame!.id}-2`);
      await again!.settle(NOTHING);
    });

    test('an aborted pull resolves empty and loses nothing', async () => {
      const abort = new AbortController();
      const waiting = source.pull(2, abort.signal);
      abort.abort();
      assert.deepEqual(await waiting, []);
      assert.deepEqual(await source.pull(2, abort.signal), []);
      const [frame] = await commit(1);
      const [delivery] = await take(source, 1);
      assert.equal(delivery!.frame.id, frame!.id);
      await delivery!.settle(NOTHING);
    });

    test('frames that several threads commit at once are delivered exactly once', async () => {
      const threads = 3;
      const framesEach = 200;
      const committed = new Set<string>();
      const ends = Array.from({ length: threads }, () =>
        appendInThread(journal.threadAppender, framesEach, committed),
      );
      const delivered: string[] = [];
      while (delivered.length < threads * framesEach) {
        const some = await source.pull(16, AbortSignal.timeout(20_000));
        assert.ok(some.length > 0, `only ${delivered.length} frames came`);
        delivered.push(...some.map(({ frame }) => frame.id));
        await Promise.all(some.map((delivery) => delivery.settle(NOTHING)));
      }
      for (const orders of await Promise.all(ends)) accepted += orders;
      assert.equal(new Set(delivered).size, delivered.length);
      assert.deepEqual(new Set(delivered), committed);
      assert.deepEqual(await takeFor(source, 600), []);
    });

    test('the backlog and its age are reported, and are 0 when all is settled', async () => {
      await until(() => source.pendingOrders() === 0, 'pendingOrders at 0');
      await until(() => source.oldestAcceptedAtMs() === 0, 'no frame of an earlier test');
      const [frame] = await commit(10, 10, 10);
      assert.equal(source.pendingOrders(), 30);
      await until(() => source.oldestAcceptedAtMs() > 0, 'an oldest frame');
      assert.ok(source.oldestAcceptedAtMs() >= frame!.acceptedAtMs);
      const taken = await take(source, 3);
      assert.equal(source.pendingOrders(), 30);
      await taken[0]!.settle({
        refile: [{ positions: [0], attempt: 2, notBeforeMs: 0 }],
        dead: [],
      });
      await until(() => source.pendingOrders() === 21, 'pendingOrders at 21');
      for (const delivery of [taken[1]!, taken[2]!, ...(await take(source, 1))]) {
        await delivery.settle(NOTHING);
      }
      await until(() => source.pendingOrders() === 0, 'pendingOrders at 0');
      await until(() => source.oldestAcceptedAtMs() === 0, 'no oldest frame');
    });

    test('continues after a restart', async () => {
      const frames = await commit(2, 2, 2);
      const taken = await take(source, 2);
      await taken[0]!.settle({
        refile: [{ positions: [1], attempt: 2, notBeforeMs: 0 }],
        dead: [],
      });
      await reopen();
      await until(() => source.pendingOrders() === 5, 'pendingOrders at 5');
      const rest = await take(source, 3);
      assert.deepEqual(
        rest.map(({ frame }) => frame.refiled?.origin ?? frame.id).sort(),
        frames.map(({ id }) => id).sort(),
      );
      for (const delivery of rest) await delivery.settle(NOTHING);
      await until(() => source.pendingOrders() === 0, 'pendingOrders at 0');
    });

    test('a commit after close is refused, and a pull after close is empty', async () => {
      await appender.close();
      assert.equal(appender.writable, false);
      assert.notEqual(appender.reason, '');
      await assert.rejects(appender.commit(fresh(1)), CommitRefused);
      await source.close();
      assert.deepEqual(await source.pull(1, AbortSignal.timeout(1000)), []);
      assert.equal(source.reachable, false);
      await reopen();
    });
  });
}
