/** Fastify with one BullMQ job per order: node fastify-bullmq.mjs REDIS_URL QUEUE PROCESSES */
import { Queue } from 'bullmq';
import { serveOrders } from './fastify-orders.mjs';
import { inProcesses } from './in-processes.mjs';

const [redis, name, processes] = process.argv.slice(2);

await inProcesses(Number(processes), async () => {
  const { hostname, port } = new URL(redis);
  // As BullMQ's guide for production says: fail fast when Redis is down, remove finished jobs.
  const queue = new Queue(name, {
    connection: { host: hostname, port: Number(port), enableOfflineQueue: false },
    defaultJobOptions: { removeOnComplete: true, removeOnFail: 1000 },
  });
  await queue.waitUntilReady();
  return serveOrders((order) => queue.add('order', order));
});
