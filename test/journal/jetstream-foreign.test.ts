import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { jetstream } from '@nats-io/jetstream';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import { startForebay } from '../support/forebay.js';
import { NATS_VERSIONS, NatsServer, type NatsVersion } from '../support/nats.js';
import { eventually, metric, OrderClient, orderBody } from '../support/orders.js';
import { withManager } from './jetstream-api.js';

const FOREIGN = 'FOREBAY_FOREIGN';
/** More than a consumer delivers without acks. */
const FLOOD = 1500;
/** See below; the one that is complete but not JSON is a frame, and its order becomes a dead letter. */
const OTHERS = 4;
/** The default limit of a server, headers included. */
const MESSAGE_BYTES_MAX = 1024 * 1024;

for (const version of NATS_VERSIONS) testForeign(version);

async function publishFramesThatAreNone(nc: NatsConnection): Promise<void> {
  const stream = jetstream(nc);
  const publish = async (id: string, count: string, body: string) => {
    const head = headers();
    head.set('Nats-Msg-Id', id);
    head.set('Forebay-Count', count);
    head.set('Forebay-Accepted-Ms', String(Date.now()));
    await stream.publish('forebay.orders', body, { headers: head });
  };
  await publish('too-many', '3', `${orderBody('a')}\n`);
  await publish('no-line-end', '1', orderBody('a'));
  await publish('not-json', '1', 'not json\n');
  await stream.publish('forebay.retry', 'no headers at all');
  await stream.publish('forebay.orders', Buffer.alloc(MESSAGE_BYTES_MAX, 'x'));
}

function testForeign(version: NatsVersion): void {
  describe(`messages of other programs that are not frames, on ${version}`, () => {
    it('are moved to a stream of their own, unchanged and with the reason, and block nothing', async (t) => {
      const nats = await NatsServer.start({ version });
      t.after(() => nats.stop());
      const forebay = await startForebay(['--nats', nats.url], { owner: t });
      const nc = await connect({ servers: nats.url });
      await publishFramesThatAreNone(nc);
      const client = new OrderClient(forebay.url);
      for (let i = 0; i < FLOOD; i++) {
        if (i % 300 === 0) assert.equal((await client.post('good')).status, 200);
        nc.publish('forebay.orders', `not a frame ${i}`);
      }
      await nc.flush();
      await nc.close();
      assert.equal((await client.post('the last')).status, 200);
      client.close();
      await eventually(
        'the good ones are done',
        async () => (await metric(forebay, 'work_done_total{status="done"}')) === 6,
      );
      await withManager(nats, async ({ streams }) => {
        await eventually(
          'all others are set aside',
          async () => (await streams.info('FOREBAY')).state.messages === 0,
        );
        assert.equal((await streams.info(FOREIGN)).state.messages, FLOOD + OTHERS);
        assert.equal((await streams.info('FOREBAY_DEAD')).state.messages, 1);
        const found = new Map<string, string>();
        const bodies: string[] = [];
        for (let seq = 1; seq <= FLOOD + OTHERS; seq++) {
          const message = (await streams.getMessage(FOREIGN, { seq }))!;
          bodies.push(message.string());
          const id = message.header.get('Was-Nats-Msg-Id');
          if (id !== '') found.set(id, message.header.get('Forebay-Reason'));
        }
        assert.deepEqual([...found.keys()].sort(), ['no-line-end', 'too-many']);
        assert.match(found.get('too-many')!, /too-many/);
        assert.equal(bodies.filter((body) => body.startsWith('not a frame ')).length, FLOOD);
        assert.equal(new Set(bodies).size, FLOOD + OTHERS);
        assert.ok(bodies.includes('no headers at all'));
        assert.ok(bodies.some((body) => body.length === MESSAGE_BYTES_MAX));
      });
      assert.equal(await metric(forebay, 'forebay_foreign_messages_total'), FLOOD + OTHERS);
      assert.match(forebay.stderr, /too-many.*FOREBAY_FOREIGN/);
      assert.equal(await forebay.stop(), 0);
    });
  });
}
