import { DiscardPolicy, jetstreamManager, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { NatsServer } from '../../test/support/nats.js';
import type { Broker } from './other.js';

export const STREAM = 'ORDERS';
export const SUBJECT = 'orders';

/**
 * A nats-server as Forebay gets it, and a stream of the same kind as Forebay's.
 *
 * @param sync when a message is flushed to disk: within 2 minutes, or before its ack
 */
export async function startJetStream(sync: 'default' | 'always'): Promise<Broker> {
  const server = await NatsServer.start(sync === 'always' ? { syncInterval: sync } : {});
  try {
    await declareStream(server.url);
    const pids = { 'nats-server': server.pid };
    return { kind: 'jetstream', url: server.url, pids, stop: () => server.stop() };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function declareStream(url: string): Promise<void> {
  const connection = await connect({ servers: url });
  try {
    const manager = await jetstreamManager(connection);
    await manager.streams.add({
      name: STREAM,
      subjects: [SUBJECT],
      retention: RetentionPolicy.Workqueue,
      storage: StorageType.File,
      discard: DiscardPolicy.New,
    });
  } finally {
    await connection.close();
  }
}
