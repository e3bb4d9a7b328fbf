import assert from 'node:assert/strict';
import { it } from 'node:test';
import { connect, type Msg } from '@nats-io/transport-node';
import { StreamMessage } from '../../src/journal/nats/message.js';
import { ReplyInbox } from '../../src/journal/nats/reply-inbox.js';
import { NatsServer } from '../support/nats.js';

it('an ack is not confirmed when the consumer is gone', async (t) => {
  const nats = await NatsServer.start();
  t.after(() => nats.stop());
  const nc = await connect({ servers: nats.url });
  t.after(() => nc.close());
  const reply = '$JS.ACK.NO_STREAM.NO_CONSUMER.1.1.1.1.0';
  const message = new StreamMessage({ subject: 'a', data: new Uint8Array(), reply } as Msg);
  const acked = message.ackConfirmed(nc, new ReplyInbox(nc), 30_000);
  await assert.rejects(acked, /the consumer is gone/);
  const confirms = nc.subscribe(reply, { callback: (_error, { reply }) => nc.publish(reply!) });
  await message.ackConfirmed(nc, new ReplyInbox(nc), 30_000);
  confirms.unsubscribe();
});
