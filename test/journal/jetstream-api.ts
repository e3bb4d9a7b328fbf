import { setTimeout as sleep } from 'node:timers/promises';
import { type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, nanos } from '@nats-io/transport-node';
import { framePublication } from '../../src/journal/nats/headers.js';
import { jetStreamNames } from '../../src/journal/nats/names.js';
import type { Frame } from '../../src/model/frame.js';
import { HANG_MS_MAX } from '../support/deadline.js';
import type { NatsServer } from '../support/nats.js';
import { eventually } from '../support/orders.js';

/** The dedupe window that the journal declares, and the shortest that a server accepts. */
const WINDOW_MS = 600_000;
const SHORT_WINDOW_MS = 100;

/** Runs `work` on a server as its operator would, on a connection of its own. */
export async function withManager<T>(
  server: NatsServer,
  work: (manager: JetStreamManager) => Promise<T>,
): Promise<T> {
  const nc = await connect({ servers: server.url });
  try {
    return await work(await jetstreamManager(nc, { timeout: HANG_MS_MAX }));
  } finally {
    await nc.close();
  }
}

/** Stores a frame under a message id that the stream has, after making the server forget that id. */
export async function storeAgain(server: NatsServer, stream: string, frame: Frame): Promise<void> {
  const { subject, payload, headers } = framePublication(jetStreamNames(stream), frame);
  const dedupeWindow = (ms: number) =>
    withManager(server, ({ streams }) => streams.update(stream, { duplicate_window: nanos(ms) }));
  const nc = await connect({ servers: server.url });
  let windowMs = SHORT_WINDOW_MS;
  try {
    await eventually('the server has forgotten its id', async () => {
      // Each time another window: nats-server may look at its ids just before it takes up a new one, and then not again.
      await dedupeWindow(windowMs++);
      await sleep(2 * SHORT_WINDOW_MS);
      return !(await jetstream(nc, { timeout: HANG_MS_MAX }).publish(subject, payload, { headers }))
        .duplicate;
    });
  } finally {
    await nc.close();
  }
  await dedupeWindow(WINDOW_MS);
}
