/** Fastify, and one BullMQ job an order: node fastify-bullmq.mjs REDIS_URL QUEUE PROCESSES */
import { Queue } from 'bullmq';
import { serveOrders } from './fastify-orders.mjs';
import { inProcesses } from './in-processes.mjs';

const [redis, name, processes] = process.argv.slice(2);

await inProcesses(Number(processes), async () => {
  const { hostname, port } = new URL(redis);
  // As its guide for production has it: a queue fails fast where Redis is away, and finished jobs do not pile up.
  const queue = new Queue(name, {
    connection: { host: hostname, port: Number(port), enableOfflineQueue: false },
    defaultJobOptions: { removeOnComplete: true, removeOnFail: 1000 },
  });
  await queue.waitUntilReady();
  return serveOrders((order) => queue.add('order', order));
});
