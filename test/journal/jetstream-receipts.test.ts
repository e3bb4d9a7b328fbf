import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { JetStreamAppender } from '../../src/journal/jetstream/appender.js';
import type { JetStreamSource } from '../../src/journal/jetstream/source.js';
import { HANG_MS_MAX } from '../support/deadline.js';
import { NATS_VERSIONS, NatsServer, type NatsVersion } from '../support/nats.js';
import { commitAll, fresh, NOTHING, newFrameId, take, until } from './frames.js';
import { appenderOf, sourceOf } from './jetstream-opened.js';

for (const version of NATS_VERSIONS) testReceipts(version);

function testReceipts(version: NatsVersion): void {
  describe(`receipts on ${version}`, () => {
    let server: NatsServer;
    let appender: JetStreamAppender;
    let drain: JetStreamSource;
    let other: JetStreamSource;

    before(async () => {
      server = await NatsServer.start({ version });
      const place = { servers: [server.url], stream: 'ASKED' };
      const parts = { newFrameId, acceptedOrders: () => 0, retryMsMax: 60_000, log: () => {} };
      appender = appenderOf(place, HANG_MS_MAX, () => {});
      drain = sourceOf(place, parts);
      // Like a process with --drain off that takes orders.
      other = sourceOf(place, parts, 'other');
      await Promise.all([appender.ready, drain.ready, other.ready]);
    });

    after(async () => {
      await Promise.all([appender.close(), drain.close(), other.close()]);
      await server.stop();
    });

    it('an order has a receipt from its acceptance on, without a gap', async () => {
      for (let i = 0; i < 20; i++) {
        const frame = fresh(3);
        await commitAll(appender, [frame]);
        assert.equal(await drain.receipt(frame.id, 2), 'accepted');
        const [delivery] = await take(drain, 1);
        assert.equal(await drain.receipt(frame.id, 2), 'accepted');
        const settled = delivery!.settle({
          refile: [{ positions: [1], attempt: 2, notBeforeMs: Date.now() + 60_000 }],
          dead: [{ position: 2, reason: 'for the test' }],
        });
        let isSettled = false;
        void settled.then(() => {
          isSettled = true;
        });
        while (!isSettled) {
          assert.notEqual(await drain.receipt(frame.id, 0), 'unknown');
          await setImmediate();
        }
        const told = [0, 1, 2, 3].map((index) => drain.receipt(frame.id, index));
        assert.deepEqual(await Promise.all(told), ['done', 'accepted', 'dead', 'unknown']);
      }
    });

    it('a process that does not drain knows what others settled', async () => {
      const frames = Array.from({ length: 30 }, () => fresh(1));
      await commitAll(appender, frames);
      for (const { id } of frames) assert.equal(await other.receipt(id, 0), 'accepted');
      for (const delivery of await take(drain, frames.length)) {
        await delivery.settle(NOTHING);
        assert.equal(await other.receipt(delivery.frame.id, 0), 'done');
      }
      assert.equal(await other.receipt(newFrameId(), 0), 'unknown');
    });

    it('while NATS is away no order is called unknown', async () => {
      const [waiting, done] = [fresh(1), fresh(1)];
      await commitAll(appender, [done]);
      const [delivery] = await take(drain, 1);
      await delivery!.settle(NOTHING);
      await commitAll(appender, [waiting]);
      await server.kill();
      await until(() => !drain.reachable, 'the source sees it');
      assert.equal(await drain.receipt(done.id, 0), 'done');
      await assert.rejects(drain.receipt(waiting.id, 0), /lost|NATS/);
      await server.start();
      await until(() => drain.reachable, 'the source is back');
      assert.equal(await drain.receipt(waiting.id, 0), 'accepted');
    });
  });
}
