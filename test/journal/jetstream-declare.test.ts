import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { PersistMode, RetentionPolicy } from '@nats-io/jetstream';
import { OperatorFault } from '../../src/model/fault.js';
import { CommitRefused } from '../../src/model/journal.js';
import { HANG_MS_MAX } from '../support/deadline.js';
import { NATS_VERSIONS, NatsServer, type NatsVersion } from '../support/nats.js';
import { commitAll, fresh, NOTHING, newFrameId, take } from './frames.js';
import { withManager } from './jetstream-api.js';
import { appenderOf, sourceOf } from './jetstream-opened.js';

for (const version of NATS_VERSIONS) testDeclaring(version);

function testDeclaring(version: NatsVersion): void {
  describe(`jetstream on ${version}: existing streams and consumers`, () => {
    let server: NatsServer;
    before(async () => {
      server = await NatsServer.start({ version });
    });
    after(() => server.stop());

    test('a stream with other settings is reported with the difference, and not changed', async () => {
      const name = 'OTHER';
      const found = await withManager(server, async (manager) => {
        await manager.streams.add({ name, subjects: ['other.orders'], max_age: 5e9 });
        return (await manager.streams.info(name)).config;
      });
      const appender = appenderOf({ servers: [server.url], stream: name }, 1000, () => {});
      await assert.rejects(appender.ready, (error) => {
        assert.ok(error instanceof OperatorFault);
        assert.equal(error.exitCode, 2);
        assert.match(
          error.message,
          /NATS stream OTHER exists with subjects .*"other.orders".*, expected/,
        );
        assert.ok(!error.message.includes('\n'));
        return true;
      });
      assert.equal(appender.writable, false);
      await appender.close();
      const after = await withManager(server, (manager) => manager.streams.info(name));
      assert.deepEqual(after.config, found);
    });

    test('several that begin at once all find the journal, whoever creates it', async () => {
      for (let round = 0; round < 10; round++) {
        const place = { servers: [server.url], stream: `ATONCE${round}` };
        const opened = Array.from({ length: 8 }, () => appenderOf(place, 1000, () => {}));
        await Promise.all(opened.map(({ ready }) => ready));
        await Promise.all(opened.map((appender) => appender.close()));
      }
    });

    test('limits chosen by the operator stay; a full stream refuses until it has space', async () => {
      const place = { servers: [server.url], stream: 'FULL' };
      const parts = { newFrameId, acceptedOrders: () => 0, retryMsMax: 60_000, log: () => {} };
      const source = sourceOf(place, parts);
      await source.ready;
      await withManager(server, (manager) => manager.streams.update('FULL', { max_msgs: 3 }));
      const appender = appenderOf(place, HANG_MS_MAX, () => {});
      try {
        await appender.ready;
        await commitAll(appender, [fresh(1), fresh(1), fresh(1)]);
        await assert.rejects(appender.commit(fresh(1)), (error) => {
          assert.ok(error instanceof CommitRefused);
          assert.match(error.message, /maximum messages exceeded/);
          return true;
        });
        const [delivery] = await take(source, 1);
        await delivery!.settle(NOTHING);
        await appender.commit(fresh(1));
      } finally {
        await appender.close();
        await source.close();
      }
    });

    test('a consumer with other settings is reported', async () => {
      const place = { servers: [server.url], stream: 'CONSUMER' };
      const first = appenderOf(place, 1000, () => {});
      await first.ready;
      await first.close();
      await withManager(server, (manager) =>
        manager.consumers.update('CONSUMER', 'consumer-drain', { ack_wait: 1e9 }),
      );
      const second = appenderOf(place, 1000, () => {});
      await assert.rejects(
        second.ready,
        /CONSUMER\/consumer-drain exists with ack_wait 1000000000/,
      );
      await second.close();
    });

    test('a stream that acknowledges before it writes is refused, if the server supports that mode', async () => {
      const place = { servers: [server.url], stream: 'ASYNC' };
      const first = appenderOf(place, 1000, () => {});
      await first.ready;
      await first.close();
      const isKnown = await withManager(server, async (manager) => {
        const { config } = await manager.streams.info('ASYNC');
        await manager.streams.delete('ASYNC');
        const made = await manager.streams.add({ ...config, persist_mode: PersistMode.Async });
        return made.config.persist_mode === PersistMode.Async;
      });
      assert.equal(isKnown, version === 'nats-server');
      const second = appenderOf(place, 1000, () => {});
      if (isKnown) {
        await assert.rejects(
          second.ready,
          /NATS stream ASYNC exists with persist_mode "async", expected "default"/,
        );
      } else await second.ready;
      await second.close();
    });

    test('two installations share a server', async () => {
      const frames = [];
      for (const stream of ['SHOP_A', 'SHOP_B']) {
        const place = { servers: [server.url], stream };
        const appender = appenderOf(place, HANG_MS_MAX, () => {});
        await appender.ready;
        const frame = fresh(1);
        await appender.commit(frame);
        await appender.close();
        const { config, state } = await withManager(server, (m) => m.streams.info(stream));
        assert.equal(config.retention, RetentionPolicy.Workqueue);
        assert.equal(state.messages, 1);
        frames.push(frame);
      }
      assert.equal(frames.length, 2);
    });
  });
}
