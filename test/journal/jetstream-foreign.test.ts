import assert from 'node:assert/strict';
import { it } from 'node:test';
import { jetstream } from '@nats-io/jetstream';
import { connect, headers } from '@nats-io/transport-node';
import { startForebay } from '../support/forebay.js';
import { NatsServer } from '../support/nats.js';
import { eventually, metric, OrderClient, orderBody } from '../support/orders.js';

it('messages that are no frames, from whoever, are set aside and stop nothing', async (t) => {
  const nats = await NatsServer.start();
  t.after(() => nats.stop());
  const forebay = await startForebay(['--nats', nats.url], { owner: t });
  const nc = await connect({ servers: nats.url });
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
  await stream.publish('forebay.orders', 'no headers at all');
  await nc.close();

  const client = new OrderClient(forebay.url);
  assert.equal((await client.post('good')).status, 200);
  client.close();
  await eventually(
    'the good one is done',
    async () => (await metric(forebay, 'work_done_total{status="done"}')) === 1,
  );
  assert.match(forebay.stderr, /too-many/);
  assert.equal(await forebay.stop(), 0);
});
