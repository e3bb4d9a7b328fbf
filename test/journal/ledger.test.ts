import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JetStreamAppender } from '../../src/journal/jetstream/appender.js';
import { openJetStreamDeadLetters } from '../../src/journal/jetstream/dead-letters.js';
import type { JetStreamSource } from '../../src/journal/jetstream/source.js';
import type { Frame } from '../../src/model/frame.js';
import type { Delivery } from '../../src/model/journal.js';
import { HANG_MS_MAX } from '../support/deadline.js';
import { NATS_VERSIONS, NatsServer, type NatsVersion } from '../support/nats.js';
import { eventually } from '../support/orders.js';
import { commitAll, fresh, NOTHING, newFrameId, take, takeFor, until } from './frames.js';
import { storeAgain, withManager } from './jetstream-api.js';
import { appenderOf, sourceOf } from './jetstream-opened.js';

const STREAM = 'LEDGERED';

for (const version of NATS_VERSIONS) testLedger(version);

function testLedger(version: NatsVersion): void {
  describe(`the ledger on ${version}`, () => {
    let server: NatsServer;
    let appender: JetStreamAppender;
    const sources: JetStreamSource[] = [];

    before(async () => {
      server = await NatsServer.start({ version });
      appender = appenderOf({ servers: [server.url], stream: STREAM }, HANG_MS_MAX, console.error);
      await appender.ready;
    });

    after(async () => {
      for (const source of sources) await source.close();
      await appender.close();
      await server.stop();
    });

    async function open(who: string): Promise<JetStreamSource> {
      const place = { servers: [server.url], stream: STREAM };
      const parts = { newFrameId, acceptedOrders: () => 0, retryMsMax: 60_000, log: () => {} };
      const source = sourceOf(place, parts, who);
      sources.push(source);
      await source.ready;
      return source;
    }

    async function close(source: JetStreamSource): Promise<void> {
      sources.splice(sources.indexOf(source), 1);
      await source.close();
    }

    const again = (frame: Frame) => storeAgain(server, STREAM, frame);

    /** A duplicate: it is removed from the stream, and not delivered. */
    async function isDropped(source: JetStreamSource): Promise<void> {
      await eventually('the duplicate is removed', async () => {
        assert.deepEqual(await takeFor(source, 800), []);
        const left = await withManager(server, (manager) => manager.streams.info(STREAM));
        return left.state.messages === 0;
      });
    }

    async function restart(): Promise<void> {
      await server.kill();
      await server.start();
      await until(() => appender.writable && sources.every((s) => s.reachable), 'connected again');
    }

    test('a duplicate after the settlement is dropped, also by a later run', async () => {
      const source = await open('one');
      const frame = fresh(3);
      await appender.commit(frame);
      const [delivery] = await take(source, 1);
      await delivery!.settle(NOTHING);
      await restart();
      await again(frame);
      await isDropped(source);
      await close(source);
      await restart();
      await again(frame);
      const later = await open('one');
      await isDropped(later);
      await close(later);
    });

    test('a duplicate of a retry frame is dropped', async () => {
      const source = await open('one');
      await appender.commit(fresh(2));
      const [first] = await take(source, 1);
      await first!.settle({
        refile: [{ positions: [1], attempt: 2, notBeforeMs: 0 }],
        dead: [],
      });
      const [second] = await take(source, 1);
      await second!.settle(NOTHING);
      // The state is written to the store ten times a second, and only then dropped from memory.
      await sleep(300);
      await restart();
      await again(second!.frame);
      await isDropped(source);
      await close(source);
    });

    test('a duplicate is dropped by another process that did not see the original', async () => {
      const one = await open('one');
      const frame = fresh(2);
      await appender.commit(frame);
      const [delivery] = await take(one, 1);
      await delivery!.settle(NOTHING);
      await close(one);
      await restart();
      await again(frame);
      const stranger = await open('stranger');
      await isDropped(stranger);
      await close(stranger);
    });

    test('a frame that one process has claimed is not delivered to another when the server forgets', async () => {
      const one = await open('one');
      const two = await open('two');
      const frame = fresh(4);
      await appender.commit(frame);
      const [delivery] = await take(one, 1);
      await restart();
      await again(frame);
      assert.deepEqual(await takeFor(two, 1500), []);
      await delivery!.settle(NOTHING);
      assert.deepEqual(await takeFor(two, 3000), []);
      await close(one);
      await close(two);
    });

    test('a released frame is delivered to another process at once', async () => {
      const one = await open('one');
      const two = await open('two');
      await appender.commit(fresh(1));
      const [delivery] = await take(one, 1);
      delivery!.release();
      await close(one);
      const [again] = await take(two, 1, 1, 10_000);
      await again!.settle(NOTHING);
      await close(two);
    });

    test('two processes share a backlog, and each frame goes to one of them', async () => {
      const [one, two] = [await open('one'), await open('two')];
      const frames = Array.from({ length: 200 }, () => fresh(1));
      await commitAll(appender, frames);
      const seen: string[] = [];
      const deadlineMs = performance.now() + HANG_MS_MAX;
      const isMissing = () => seen.length < frames.length && performance.now() < deadlineMs;
      const work = async (source: JetStreamSource) => {
        let idle = 0;
        while (idle < 3 || isMissing()) {
          const found: Delivery[] = await source.pull(8, AbortSignal.timeout(500));
          idle = found.length === 0 ? idle + 1 : 0;
          for (const { frame } of found) seen.push(frame.id);
          await Promise.all(found.map((delivery) => delivery.settle(NOTHING)));
        }
      };
      await Promise.all([work(one), work(two)]);
      assert.deepEqual(seen.toSorted(), frames.map(({ id }) => id).toSorted());
      await close(one);
      await close(two);
    });

    test('receipts: a replayed dead letter is accepted again, a dropped one stays dead', async () => {
      const source = await open('one');
      const frame = fresh(3);
      await appender.commit(frame);
      const [delivery] = await take(source, 1);
      const dead = [0, 1].map((position) => ({ position, reason: 'so' }));
      await delivery!.settle({ refile: [], dead });
      await eventually(
        'receipt 0 says dead',
        async () => (await source.receipt(frame.id, 0)) === 'dead',
      );
      const letters = await openJetStreamDeadLetters([server.url], STREAM, () => {});
      assert.equal(await letters.replay(`${frame.id}-0`, ''), true);
      assert.equal(await letters.drop(`${frame.id}-1`), true);
      await letters.close();
      const [again] = await take(source, 1);
      const receipts = () => Promise.all([0, 1, 2].map((i) => source.receipt(frame.id, i)));
      await eventually(
        'receipt 0 says accepted',
        async () => (await source.receipt(frame.id, 0)) === 'accepted',
      );
      assert.deepEqual(await receipts(), ['accepted', 'dead', 'done']);
      await again!.settle(NOTHING);
      await eventually(
        'receipt 0 says done',
        async () => (await source.receipt(frame.id, 0)) === 'done',
      );
      assert.deepEqual(await receipts(), ['done', 'dead', 'done']);
      await close(source);
    });

    test('receipts: accepted in the stream, done when settled; retried and dead orders differ', async () => {
      const source = await open('one');
      const frame = fresh(4);
      await commitAll(appender, [fresh(1), frame, fresh(2)]);
      assert.equal(await source.receipt(frame.id, 3), 'accepted');
      assert.equal(await source.receipt(frame.id, 4), 'unknown');
      assert.equal(await source.receipt(newFrameId(), 0), 'unknown');
      assert.equal(await source.receipt('not an id', 0), 'unknown');
      for (const delivery of await take(source, 3)) {
        await delivery.settle(
          delivery.frame.id === frame.id
            ? {
                refile: [{ positions: [1], attempt: 2, notBeforeMs: 0 }],
                dead: [{ position: 2, reason: 'so' }],
              }
            : NOTHING,
        );
      }
      const receipts = () => Promise.all([0, 1, 2, 3, 4].map((i) => source.receipt(frame.id, i)));
      await eventually(
        'receipt 0 says done',
        async () => (await source.receipt(frame.id, 0)) === 'done',
      );
      assert.deepEqual(await receipts(), ['done', 'accepted', 'dead', 'done', 'unknown']);
      const [again] = await take(source, 1);
      await again!.settle(NOTHING);
      await eventually(
        'receipt 1 says done',
        async () => (await source.receipt(frame.id, 1)) === 'done',
      );
      assert.deepEqual(await receipts(), ['done', 'done', 'dead', 'done', 'unknown']);
      await close(source);
    });
  });
}
