/** Messages of a process that died are delivered again at once. A message of a live process that is returned does no harm. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { connect } from '@nats-io/transport-node';
import type { JetStreamSource } from '../../src/journal/jetstream/source.js';
import { nakDelivered } from '../../src/journal/nats/message.js';
import { jetStreamNames } from '../../src/journal/nats/names.js';
import { HANG_MS_MAX } from '../support/deadline.js';
import { NATS_VERSIONS, NatsServer, type NatsVersion } from '../support/nats.js';
import { commitAll, fresh, NOTHING, newFrameId, take, takeFor } from './frames.js';
import { withManager } from './jetstream-api.js';
import { appenderOf, sourceOf } from './jetstream-opened.js';

const STREAM = 'RETURNED';
const { freshConsumer } = jetStreamNames(STREAM);

for (const version of NATS_VERSIONS) testReturned(version);

function testReturned(version: NatsVersion): void {
  describe(`a message that is returned for another process, on ${version}`, () => {
    async function open(t: TestContext, server: NatsServer, who: string): Promise<JetStreamSource> {
      const place = { servers: [server.url], stream: STREAM };
      const parts = { newFrameId, acceptedOrders: () => 0, retryMsMax: 60_000, log: () => {} };
      const source = sourceOf(place, parts, who);
      t.after(() => source.close());
      await source.ready;
      return source;
    }

    async function begin(t: TestContext) {
      const server = await NatsServer.start({ version });
      t.after(() => server.stop());
      const place = { servers: [server.url], stream: STREAM };
      const appender = appenderOf(place, HANG_MS_MAX, console.error);
      t.after(() => appender.close());
      await appender.ready;
      return { server, appender };
    }

    /** Returns every message that the stream has ever had, again and again. */
    async function returnAll(server: NatsServer, times: number): Promise<void> {
      const nc = await connect({ servers: server.url });
      try {
        for (let i = 0; i < times; i++) {
          const [consumer, stream] = await withManager(server, async (manager) => [
            await manager.consumers.info(STREAM, freshConsumer),
            await manager.streams.info(STREAM),
          ]);
          const consumerSeq = consumer.delivered.consumer_seq;
          const from = { stream: STREAM, consumer: freshConsumer, consumerSeq };
          for (let seq = 1; seq <= stream.state.last_seq; seq++) nakDelivered(nc, from, seq);
          await nc.flush();
        }
      } finally {
        await nc.close();
      }
    }

    test('stays with the live process that has it, which settles it', async (t) => {
      const { server, appender } = await begin(t);
      const [one, two] = [await open(t, server, 'one'), await open(t, server, 'two')];
      const frames = Array.from({ length: 8 }, () => fresh(2));
      await commitAll(appender, frames);
      const held = await take(one, 8, 8);
      const [early, late] = [held.slice(0, 4), held.slice(4)];
      const seen = takeFor(two, 4000);
      await returnAll(server, 5);
      for (const delivery of early) await delivery.settle(NOTHING);
      await returnAll(server, 5);
      for (const delivery of late) await delivery.settle(NOTHING);
      await returnAll(server, 5);
      assert.deepEqual(await seen, []);
      assert.deepEqual(await takeFor(one, 500), []);
      const left = await withManager(server, (manager) => manager.streams.info(STREAM));
      assert.equal(left.state.messages, 0);
    });

    test('that is pending is delivered to the next that asks', async (t) => {
      const { server, appender } = await begin(t);
      await appender.commit(fresh(2));
      // Taken and never acknowledged: as by a process that died before it could claim the frame.
      const nc = await connect({ servers: server.url });
      t.after(() => nc.close());
      const next = `$JS.API.CONSUMER.MSG.NEXT.${STREAM}.${freshConsumer}`;
      const taken = await nc.request(next, '1', { timeout: 10_000, noMux: true });
      assert.ok(taken.reply?.startsWith('$JS.ACK.'));
      const beganMs = performance.now();
      const two = await open(t, server, 'two');
      const [again] = await take(two, 1, 1, 20_000);
      t.diagnostic(`delivered after ${Math.round(performance.now() - beganMs)} ms`);
      await again!.settle(NOTHING);
    });
  });
}
