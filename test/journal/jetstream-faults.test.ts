import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JetStreamAppender } from '../../src/journal/jetstream/appender.js';
import type { JetStreamSource } from '../../src/journal/jetstream/source.js';
import { CommitAmbiguous, CommitRefused } from '../../src/model/journal.js';
import type { Log } from '../../src/model/log.js';
import { NATS_VERSIONS, NatsServer, type NatsVersion } from '../support/nats.js';
import { eventually } from '../support/orders.js';
import { commitAll, fresh, NOTHING, newFrameId, plain, take, takeFor, until } from './frames.js';
import { withManager } from './jetstream-api.js';
import { appenderOf, sourceOf } from './jetstream-opened.js';

const STREAM = 'FAULTS';

for (const version of NATS_VERSIONS) testFaults(version);

function testFaults(version: NatsVersion): void {
  describe(`jetstream on ${version}: when the server fails`, () => {
    const log: string[] = [];
    const note: Log = (_event, line) => {
      log.push(line);
    };
    let server: NatsServer;
    let appender: JetStreamAppender;
    let source: JetStreamSource;

    before(async () => {
      server = await NatsServer.prepare({ version });
      const place = { servers: [server.url], stream: STREAM };
      appender = appenderOf(place, 5000, note);
      const parts = { newFrameId, acceptedOrders: () => 0, retryMsMax: 60_000, log: note };
      source = sourceOf(place, parts);
    });

    after(async () => {
      await appender.close();
      await source.close();
      await server.stop();
    });

    /** What was settled is not delivered again, and leaves the stream. */
    async function allRemoved(): Promise<void> {
      await eventually('the stream is empty', async () => {
        assert.deepEqual(await takeFor(source, 600), []);
        const left = await withManager(server, (manager) => manager.streams.info(STREAM));
        return left.state.messages === 0;
      });
    }

    test('absent at the start: commits are refused with the reason, one log line per second, then up', async () => {
      await until(() => log.length >= 4, 'two lines of each side');
      assert.ok(log[0]!.includes(server.url.slice('nats://'.length)));
      assert.equal(appender.writable, false);
      assert.ok(appender.reason.includes('127.0.0.1'));
      assert.equal(source.reachable, false);
      await assert.rejects(appender.commit(fresh(1)), CommitRefused);
      assert.deepEqual(await takeFor(source, 300), []);
      await server.start();
      await Promise.all([appender.ready, source.ready]);
      assert.equal(appender.writable, true);
      assert.equal(appender.reason, '');
      assert.equal(source.reachable, true);
    });

    test('killed and restarted: claims stay, accepted frames are delivered once', async () => {
      const frames = Array.from({ length: 20 }, () => fresh(4));
      await commitAll(appender, frames);
      const inHand = await take(source, 8);
      await server.kill();
      await until(() => !appender.writable && !source.reachable, 'both sides see it');
      await assert.rejects(appender.commit(fresh(1)), CommitRefused);
      const settling = inHand.map((delivery, i) =>
        delivery.settle({
          refile: i === 0 ? [{ positions: [1], attempt: 2, notBeforeMs: 0 }] : [],
          dead: i === 1 ? [{ position: 0, reason: 'for the test' }] : [],
        }),
      );
      await server.start();
      await until(() => appender.writable && source.reachable, 'both sides are back');
      await Promise.all(settling);
      const later = fresh(2);
      await appender.commit(later);
      const rest = await take(source, 14);
      const ids = rest.map(({ frame }) => frame.refiled?.origin ?? frame.id);
      const expected = [...frames.slice(8).map(({ id }) => id), later.id, inHand[0]!.frame.id];
      assert.deepEqual(ids.sort(), expected.sort());
      await Promise.all(rest.map((delivery) => delivery.settle(NOTHING)));
      await allRemoved();
    });

    test('a delivery that the server forgot is not repeated, and is settled', async () => {
      const frames = [fresh(1), fresh(1)];
      await commitAll(appender, frames);
      const inHand = await take(source, 2);
      await withManager(server, async (manager) => {
        const { config } = await manager.consumers.info(STREAM, 'faults-drain');
        await manager.consumers.delete(STREAM, 'faults-drain');
        await manager.consumers.add(STREAM, config);
      });
      await inHand[0]!.settle(NOTHING);
      assert.deepEqual(await takeFor(source, 600), []);
      await inHand[1]!.settle(NOTHING);
      await allRemoved();
    });

    test('frozen briefly: a commit waits and is stored once', async () => {
      const frame = fresh(3);
      server.freeze();
      const commit = appender.commit(frame);
      await sleep(1000);
      server.thaw();
      await commit;
      const [delivery] = await take(source, 1);
      assert.deepEqual(plain(delivery!.frame), plain(frame));
      await delivery!.settle(NOTHING);
      assert.deepEqual(await takeFor(source, 600), []);
    });

    test('frozen for too long: a commit is ambiguous, and the next ones are refused for a while', async () => {
      server.freeze();
      await assert.rejects(appender.commit(fresh(1)), CommitAmbiguous);
      assert.equal(appender.writable, false);
      assert.notEqual(appender.reason, '');
      await assert.rejects(appender.commit(fresh(1)), CommitRefused);
      server.thaw();
      await until(() => appender.writable, 'writable again');
      const frame = fresh(1);
      await appender.commit(frame);
      // Also the ambiguous one, if it was stored, before it or after.
      for (let isFound = false; !isFound; ) {
        const [delivery] = await take(source, 1);
        isFound = delivery!.frame.id === frame.id;
        await delivery!.settle(NOTHING);
      }
      for (const delivery of await takeFor(source, 600)) await delivery.settle(NOTHING);
    });
  });

  test(`jetstream on ${version}: closes while the server is gone`, async () => {
    const server = await NatsServer.start({ version });
    try {
      const place = { servers: [server.url], stream: STREAM };
      const appender = appenderOf(place, 1000, () => {});
      const parts = { newFrameId, acceptedOrders: () => 0, retryMsMax: 60_000, log: () => {} };
      const source = sourceOf(place, parts);
      await Promise.all([appender.ready, source.ready]);
      await appender.commit(fresh(1));
      const [delivery] = await take(source, 1);
      await server.kill();
      const pulling = source.pull(1, AbortSignal.timeout(20_000));
      const commit = assert.rejects(appender.commit(fresh(1)));
      const settling = delivery!.settle(NOTHING);
      await Promise.all([appender.close(), source.close(), settling, commit]);
      assert.deepEqual(await pulling, []);
    } finally {
      await server.stop();
    }
  });
}
