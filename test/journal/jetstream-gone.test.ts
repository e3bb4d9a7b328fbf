import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JetStreamAppender } from '../../src/journal/jetstream/appender.js';
import type { JetStreamSource } from '../../src/journal/jetstream/source.js';
import type { LogEvent } from '../../src/model/log.js';
import { freePort } from '../support/free-port.js';
import { NATS_VERSIONS, NatsServer, type NatsVersion } from '../support/nats.js';
import { eventually } from '../support/orders.js';
import { commitAll, fresh, NOTHING, newFrameId, take, takeFor, until } from './frames.js';
import { withManager } from './jetstream-api.js';
import { appenderOf, sourceOf } from './jetstream-opened.js';

const STREAM = 'GONE';

for (const version of NATS_VERSIONS) testGone(version);

function testGone(version: NatsVersion): void {
  describe(`what an operator deletes on ${version}`, () => {
    const told: [LogEvent, string][] = [];
    let monitorPort: number;
    let server: NatsServer;
    let appender: JetStreamAppender;
    let source: JetStreamSource;

    before(async () => {
      monitorPort = await freePort();
      server = await NatsServer.start({ version, monitorPort });
      const place = { servers: [server.url], stream: STREAM };
      const log = (event: LogEvent, line: string) => void told.push([event, line]);
      const parts = { newFrameId, acceptedOrders: () => 0, retryMsMax: 60_000, log };
      appender = appenderOf(place, 5000, () => {});
      source = sourceOf(place, parts);
      await Promise.all([appender.ready, source.ready]);
    });

    after(async () => {
      await Promise.all([appender.close(), source.close()]);
      await server.stop();
    });

    /**
     * Checks that frames committed now are delivered and settled, and that the stream is empty after that.
     */
    async function flows(frames = Array.from({ length: 3 }, () => fresh(2))): Promise<void> {
      await commitAll(appender, frames);
      await drains(frames.map(({ id }) => id));
    }

    async function drains(ids: readonly string[]): Promise<void> {
      const taken = await take(source, ids.length);
      assert.deepEqual(taken.map(({ frame }) => frame.id).sort(), ids.toSorted());
      await Promise.all(taken.map((delivery) => delivery.settle(NOTHING)));
      const { state } = await withManager(server, (manager) => manager.streams.info(STREAM));
      assert.equal(state.messages, 0);
    }

    /** According to a source that keeps pulling. */
    async function isWell(): Promise<void> {
      await eventually('all is well again', async () => {
        await takeFor(source, 300);
        return source.reason === '';
      });
    }

    function remade(): string[] {
      return told.filter(([event]) => event === 'journal-remade').map(([, line]) => line);
    }

    async function messagesToServer(): Promise<number> {
      const answer = await fetch(`http://127.0.0.1:${monitorPort}/varz`);
      return ((await answer.json()) as { in_msgs: number }).in_msgs;
    }

    it('the ledger is recreated and reported, and orders continue', async () => {
      await flows();
      await withManager(server, (manager) => manager.streams.delete(`${STREAM}_LEDGER`));
      await flows();
      assert.match(remade().join('\n'), /stream GONE_LEDGER .* is recreated/);
      await isWell();
    });

    it('the consumer of fresh frames is recreated, and claimed frames are processed once', async () => {
      const [inHand, waiting] = [fresh(2), fresh(2)];
      await commitAll(appender, [inHand]);
      const [delivery] = await take(source, 1);
      await withManager(server, (manager) => manager.consumers.delete(STREAM, 'gone-drain'));
      await commitAll(appender, [waiting]);
      const [next] = await take(source, 1);
      assert.equal(next!.frame.id, waiting.id);
      await Promise.all([delivery!.settle(NOTHING), next!.settle(NOTHING)]);
      await flows();
      assert.match(remade().join('\n'), /consumer gone-drain .* is recreated/);
    });

    it('the stream is recreated, and the loss of its content is reported', async () => {
      await withManager(server, (manager) => manager.streams.delete(STREAM));
      await until(() => /stream GONE \(orders\)/.test(remade().join('\n')), 'created again');
      await flows();
      await withManager(server, (manager) => manager.streams.delete(`${STREAM}_DEAD`));
      await until(() => /stream GONE_DEAD/.test(remade().join('\n')), 'the dead letters too');
      await isWell();
    });

    it('and recreates with other settings: the reason says what and why, and NATS is asked a few times per second', async () => {
      const abort = new AbortController();
      const pulling = source.pull(1, abort.signal);
      await withManager(server, async (manager) => {
        await manager.streams.delete(STREAM);
        await manager.streams.add({ name: STREAM, subjects: ['other'] });
      });
      await until(() => /GONE exists with/.test(source.reason), 'it says why');
      assert.match(source.reason, /^NATS does not serve the /);
      const asked = await messagesToServer();
      await sleep(2000);
      assert.ok((await messagesToServer()) - asked < 500);
      await withManager(server, (manager) => manager.streams.delete(STREAM));
      await until(() => source.reason === '', 'all is well again');
      abort.abort();
      await pulling;
      await flows();
      assert.ok(told.some(([event]) => event === 'journal-repaired'));
    });
  });
}
