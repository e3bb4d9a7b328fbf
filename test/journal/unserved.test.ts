import assert from 'node:assert/strict';
import { it } from 'node:test';
import { LedgerPeers } from '../../src/journal/ledger/peers.js';
import { JetStreamConnection } from '../../src/journal/nats/connection.js';
import { jetStreamNames } from '../../src/journal/nats/names.js';
import { NatsServer } from '../support/nats.js';
import { until } from './frames.js';

it('an instance that has NATS back, but no JetStream yet, is heard by the others', async (t) => {
  const server = await NatsServer.start();
  t.after(() => server.stop());
  let isServed = true;
  let refusals = 0;
  const peersNamed = (self: string, prepare: () => void) => {
    const connection = new JetStreamConnection({
      servers: [server.url],
      clientName: self,
      prepare: async () => prepare(),
      log: () => {},
    });
    const peers = new LedgerPeers(connection, jetStreamNames('UNSERVED'), self);
    t.after(async () => {
      peers.close();
      await connection.close();
    });
    return { connection, peers };
  };
  const unserved = peersNamed('unserved', () => {
    if (isServed) return;
    refusals++;
    throw new Error('no leader');
  });
  const other = peersNamed('other', () => {});
  await Promise.all([unserved.connection.ready, other.connection.ready]);
  await until(() => unserved.peers.isHeard, 'its first heartbeat is back');

  isServed = false;
  await server.kill();
  await until(() => !unserved.connection.linked, 'it has noticed');
  await server.start();
  await until(() => other.connection.up, 'the other is served');
  await until(() => refusals > 0, 'JetStream was asked');
  await until(() => other.peers.isHeard, 'the other listens');
  const sinceMs = performance.now();
  const heardSince = () => other.peers.silentMs('unserved') < performance.now() - sinceMs;
  await until(heardSince, 'the other hears it');
  await until(() => unserved.peers.isHeard, 'it hears itself');
  assert.ok(!unserved.connection.up);
  assert.ok(unserved.connection.linked);

  isServed = true;
  await until(() => unserved.connection.up, 'JetStream is back');
});
