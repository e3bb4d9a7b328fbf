import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { LedgerPeers } from '../../src/journal/ledger/peers.js';
import { JetStreamConnection } from '../../src/journal/nats/connection.js';
import { jetStreamNames } from '../../src/journal/nats/names.js';
import { withDeadline } from '../support/deadline.js';
import { type NatsOptions, NatsServer, withPermissions } from '../support/nats.js';
import { until } from './frames.js';

const NAMES = jetStreamNames('UNSERVED');

/** A connection whose streams are there when `prepare` resolves. */
async function connected(
  t: TestContext,
  prepare: (nc: NatsConnection, server: NatsServer) => Promise<void>,
  options: NatsOptions = {},
) {
  const server = await NatsServer.start(options);
  const connection = new JetStreamConnection({
    servers: [server.url],
    clientName: 'unserved',
    prepare: (nc) => prepare(nc, server),
    log: () => {},
  });
  const peers = new LedgerPeers(connection, NAMES, 'unserved');
  t.after(async () => {
    peers.close();
    await connection.close();
    await server.stop();
  });
  await connection.ready;
  /** Returns when the connection has noticed. */
  const restart = async () => {
    await server.kill();
    await until(() => !connection.linked, 'it has noticed');
    assert.ok(!connection.up);
    await server.start();
  };
  return { server, connection, peers, restart };
}

describe('a connection to NATS that is lost before JetStream has answered', () => {
  it('carries the heartbeats of its instance', async (t) => {
    let isServed = true;
    let refusals = 0;
    const { server, connection, restart } = await connected(t, async () => {
      if (isServed) return;
      refusals++;
      throw new Error('no leader');
    });
    isServed = false;
    await restart();
    await until(() => refusals > 0, 'JetStream was asked');
    const other = await connect({ servers: server.url });
    t.after(() => other.close());
    let heard = 0;
    other.subscribe(NAMES.aliveSubject, {
      callback: (_, message) => {
        if (message.string().startsWith('unserved ')) heard++;
      },
    });
    await until(() => heard > 1, 'another instance hears it');
    assert.ok(connection.linked);
    assert.ok(!connection.up);
    isServed = true;
    await until(() => connection.up, 'JetStream is back');
  });

  it('is not up if it is lost while the streams are declared', async (t) => {
    let isFirst = true;
    const { server, connection } = await connected(t, async (nc, running) => {
      if (!isFirst) return;
      isFirst = false;
      const statuses = nc.status();
      await running.kill();
      for await (const { type } of statuses) if (type === 'disconnect') break;
    });
    await until(() => !connection.up, 'it has noticed');
    assert.ok(!connection.linked);
    await server.start();
    await until(() => connection.up, 'NATS is back');
  });

  it('is up although an answer to an earlier connection fails late', async (t) => {
    const failures: ((error: Error) => void)[] = [];
    let isServed = true;
    const { connection, restart } = await connected(t, async () => {
      if (!isServed) await new Promise<void>((_, reject) => failures.push(reject));
    });
    isServed = false;
    await restart();
    await until(() => failures.length > 0, 'JetStream was asked');
    isServed = true;
    await restart();
    await until(() => connection.up, 'JetStream is back');
    failures[0]!(new Error('timeout'));
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(connection.up);
  });
});

it('an instance whose subscription to the heartbeats was refused subscribes again', async (t) => {
  const may = withPermissions('publish: ">", subscribe: { allow: ">" }');
  const mayNot = `publish: ">", subscribe: { allow: ">", deny: "${NAMES.aliveSubject}" }`;
  const { server, peers } = await connected(t, async () => {}, may);
  await until(() => peers.isHeard, 'it hears itself');
  server.configure(withPermissions(mayNot));
  server.reload();
  await until(() => !peers.isHeard, 'it does not hear itself');
  server.configure(may);
  server.reload();
  await until(() => peers.isHeard, 'it hears itself again');
});

it('a connection that is closed while it dials ends', async (t) => {
  const statuses: boolean[] = [];
  // Answers the first message of the client late: `close` is called before.
  const late = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(
      'INFO {"server_id":"x","version":"2.10.0","max_payload":1048576,"headers":true}\r\n',
    );
    socket.on('data', (data) => {
      if (!data.includes('PING')) return;
      void dialled();
      setTimeout(() => socket.write('PONG\r\n'), 100);
    });
  }).listen(0, '127.0.0.1');
  await once(late, 'listening');
  t.after(() => late.close());
  const { port } = late.address() as AddressInfo;
  const connection = new JetStreamConnection({
    servers: [`nats://127.0.0.1:${port}`],
    clientName: 'dials',
    prepare: async () => {},
    log: () => {},
  });
  connection.onChange((up) => statuses.push(up));
  let closing: Promise<void> | null = null;
  const dialled = () => {
    closing ??= connection.close();
  };
  await until(() => closing !== null, 'it dials');
  await withDeadline(closing!, 'it ends');
  assert.ok(!statuses.includes(true));
  assert.ok(!connection.linked);
});
