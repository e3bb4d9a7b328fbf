/** Express with one persistent RabbitMQ message per order: node express-rabbitmq.mjs AMQP_URL QUEUE QUEUE_TYPE PROCESSES */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Ajv } from 'ajv';
import amqp from 'amqplib';
import express from 'express';
import { answers } from '../../../dist/src/model/answers.js';
import { orderSchema } from '../../../dist/src/model/order.js';
import { inProcesses } from './in-processes.mjs';

const BODY_BYTES_MAX = 4096;

const [broker, queue, type, processes] = process.argv.slice(2);

await inProcesses(Number(processes), async () => {
  const connection = await amqp.connect(broker, { noDelay: true });
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': type } });
  const server = createServer(ordersApp(channel)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${server.address().port}`;
});

function ordersApp(channel) {
  const isOrder = new Ajv().compile(orderSchema);
  const app = express();
  // Response headers that no client here reads.
  app.disable('x-powered-by').disable('etag');
  app.post('/orders', express.json({ limit: BODY_BYTES_MAX }), (request, response) => {
    if (!isOrder(request.body)) return answer(response, answers.invalid.status, 'invalid');
    const message = Buffer.from(JSON.stringify(request.body));
    // Not awaited: many publishes are in flight, and the broker confirms them in batches.
    channel.sendToQueue(queue, message, { persistent: true }, (error) => {
      if (error) answer(response, answers.busy.status, 'busy');
      else answer(response, answers.created.status, 'created');
    });
  });
  app.use((error, _request, response, _next) => {
    const status = error.status ?? answers.busy.status;
    answer(response, status, status === answers.invalid.status ? 'invalid' : error.message);
  });
  return app;
}

function answer(response, status, result) {
  response.status(status).json({ result });
}
