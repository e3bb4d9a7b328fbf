import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { JetStreamAppender } from '../../src/journal/jetstream/appender.js';
import type { JetStreamSource } from '../../src/journal/jetstream/source.js';
import type { Frame } from '../../src/model/frame.js';
import { HANG_MS_MAX } from '../support/deadline.js';
import { NATS_VERSIONS, NatsServer, type NatsVersion } from '../support/nats.js';
import { eventually } from '../support/orders.js';
import { commitAll, fresh, NOTHING, newFrameId, plain, take, takeFor, until } from './frames.js';
import { withManager } from './jetstream-api.js';
import { appenderOf, sourceOf } from './jetstream-opened.js';

const STREAM = 'STRANDED';
const ORPHANED_MS_MIN = 1000;

for (const version of NATS_VERSIONS) testStranded(version);

function testStranded(version: NatsVersion): void {
  describe(`a message that ${version} keeps although its consumer counts it as acknowledged`, () => {
    const told: string[] = [];
    let server: NatsServer;
    let appender: JetStreamAppender;
    let source: JetStreamSource;

    function open(who: string): Promise<JetStreamSource> {
      const place = { servers: [server.url], stream: STREAM };
      const log = (event: string, line: string) => void told.push(`${event} ${line}`);
      const opened = sourceOf(
        place,
        {
          newFrameId,
          acceptedOrders: () => 0,
          retryMsMax: 60_000,
          orphanedMsMin: ORPHANED_MS_MIN,
          log,
        },
        who,
      );
      return opened.ready.then(() => opened);
    }

    before(async () => {
      server = await NatsServer.start({ version });
      appender = appenderOf({ servers: [server.url], stream: STREAM }, HANG_MS_MAX, () => {});
      await appender.ready;
    });

    after(async () => {
      await appender.close();
      await server.stop();
    });

    // The same process each time; a source kept from test to test might pull frames of the next one.
    beforeEach(async () => {
      source = await open('one');
    });

    afterEach(() => source.close());

    function messages(): Promise<number> {
      return withManager(server, async ({ streams }) => {
        return (await streams.info(STREAM)).state.messages;
      });
    }

    function waiting(): Promise<number> {
      return withManager(server, async ({ consumers }) => {
        const { num_pending, num_ack_pending } = await consumers.info(STREAM, 'stranded-drain');
        return num_pending + num_ack_pending;
      });
    }

    /**
     * Like a power cut: what `work` removes from the stream is there again, what it acknowledges stays
     * acknowledged.
     */
    async function keepingMessages(work: () => Promise<void>): Promise<void> {
      const folder = join(server.folder, 'store/jetstream/$G/streams', STREAM, 'msgs');
      const copy = join(server.folder, 'copy');
      await server.end();
      cpSync(folder, copy, { recursive: true });
      await server.start();
      await until(() => appender.writable && source.reachable, 'both are back');
      await work();
      await server.end();
      rmSync(folder, { recursive: true });
      cpSync(copy, folder, { recursive: true });
      rmSync(copy, { recursive: true });
      await server.start();
      await until(() => appender.writable && source.reachable, 'both are back again');
    }

    /** Pulls until the stream is empty; returns the delivered frames. */
    async function drained(): Promise<Frame[]> {
      const frames: Frame[] = [];
      await eventually('nothing stays', async () => {
        for (const delivery of await takeFor(source, 500)) {
          frames.push(delivery.frame);
          await delivery.settle(NOTHING);
        }
        return (await messages()) === 0;
      });
      return frames;
    }

    it('is removed unprocessed when its frame was settled', async () => {
      const frames = Array.from({ length: 40 }, () => fresh(2));
      await commitAll(appender, frames);
      await keepingMessages(async () => {
        const taken = await take(source, 40);
        await Promise.all(taken.map((delivery) => delivery.settle(NOTHING)));
        assert.equal(await messages(), 0);
      });
      assert.equal(await messages(), 40);
      assert.equal(await waiting(), 0);
      assert.deepEqual(await drained(), []);
      const removed = told.filter((line) => line.startsWith('stranded-removed'));
      assert.equal(removed.length, 40);
      assert.ok(removed.some((line) => line.includes(frames[0]!.id)));
    });

    /** By another program. */
    async function acknowledged(consumer: string): Promise<void> {
      const nc = await connect({ servers: server.url });
      const found = await jetstream(nc).consumers.get(STREAM, consumer);
      const message = await found.next({ expires: 5000 });
      await message!.ackAck();
      await nc.close();
    }

    it('is processed with its keys and retries when it is not known to be settled', async () => {
      const frame = fresh(3);
      await commitAll(appender, [frame]);
      await keepingMessages(() => acknowledged('stranded-drain'));
      assert.equal(await waiting(), 0);
      assert.deepEqual((await drained()).map(plain), [plain(frame)]);
      const line = told.find((some) => some.startsWith('stranded-processed'));
      assert.ok(line?.includes(frame.id), line);
    });

    it('is moved away when it is not a frame', async () => {
      const nc = await connect({ servers: server.url });
      await nc.request('stranded.retry', 'no frame');
      await nc.close();
      await keepingMessages(() => acknowledged('stranded-retry'));
      assert.deepEqual(await drained(), []);
      await withManager(server, async ({ streams }) => {
        assert.equal((await streams.info(`${STREAM}_FOREIGN`)).state.messages, 1);
      });
    });

    it('is left to the process that has claimed it, and removed once that has settled it', async () => {
      const frame = fresh(2);
      await commitAll(appender, [frame]);
      const [delivery] = await take(source, 1);
      await keepingMessages(async () => {
        const { delivered } = await withManager(server, ({ consumers }) =>
          consumers.info(STREAM, 'stranded-drain'),
        );
        const place = `1.${delivered.stream_seq}.${delivered.consumer_seq}`;
        const nc = await connect({ servers: server.url });
        await nc.request(`$JS.ACK.${STREAM}.stranded-drain.${place}.1.0`, '+ACK');
        await nc.close();
      });
      assert.equal(await waiting(), 0);
      const other = await open('another');
      assert.deepEqual(await takeFor(other, 3 * ORPHANED_MS_MIN), []);
      assert.equal(await messages(), 1);
      await delivery!.settle(NOTHING);
      await eventually('it is removed', async () => {
        assert.deepEqual(await takeFor(other, 3 * ORPHANED_MS_MIN), []);
        return (await messages()) === 0;
      });
      await other.close();
    });
  });
}
