import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { NatsServer } from '../support/nats.js';

/** Runs `work` on a server as its operator would, on a connection of its own. */
export async function withManager<T>(
  server: NatsServer,
  work: (manager: JetStreamManager) => Promise<T>,
): Promise<T> {
  const nc = await connect({ servers: server.url });
  try {
    return await work(await jetstreamManager(nc));
  } finally {
    await nc.close();
  }
}
