/** Fastify with one JetStream publish per order, or per batch of orders: node fastify-jetstream.mjs NATS_URL SUBJECT PROCESSES */
import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { serveOrders } from './fastify-orders.mjs';
import { inProcesses } from './in-processes.mjs';

const [servers, subject, processes] = process.argv.slice(2);

await inProcesses(Number(processes), async () => {
  const orders = jetstream(await connect({ servers }));
  // Each request waits for its own ack only: many publishes are in flight on one connection.
  return serveOrders((stored) => orders.publish(subject, JSON.stringify(stored)), {
    batches: true,
  });
});
