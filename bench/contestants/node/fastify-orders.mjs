import fastify from 'fastify';
import { answers } from '../../../dist/src/model/answers.js';
import { orderSchema } from '../../../dist/src/model/order.js';

const BODY_BYTES_MAX = 4096;
// A message of JetStream has at most 1 MiB.
const BATCH_BYTES_MAX = 950_000;

const resultSchema = {
  type: 'object',
  required: ['result'],
  properties: { result: { type: 'string' } },
};

/**
 * POST /orders as Fastify's docs recommend: schemas for body and response, its own parser, no log.
 *
 * @param {(stored: object) => Promise<unknown>} store resolves when the order is stored, or the array of orders
 * @param {{ batches?: boolean }} [options] whether it takes an array of orders at POST /orders/batch
 * @returns {Promise<string>} the URL
 */
export async function serveOrders(store, { batches = false } = {}) {
  const app = fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    // The defaults would turn 3 into "3" and drop unknown members, and so accept invalid orders.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  });
  app.setErrorHandler((error, _request, reply) => {
    const status = error.statusCode ?? answers.busy.status;
    const isInvalid = status === answers.invalid.status;
    reply.code(status).send({ result: isInvalid ? 'invalid' : error.message });
  });
  const accept = async (request) => {
    await store(request.body);
    return { result: 'created' };
  };
  const response = { '2xx': resultSchema };
  app.post('/orders', { schema: { body: orderSchema, response } }, accept);
  if (batches) {
    const body = { type: 'array', minItems: 1, items: orderSchema };
    app.post('/orders/batch', { schema: { body, response }, bodyLimit: BATCH_BYTES_MAX }, accept);
  }
  return app.listen({ host: '127.0.0.1', port: 0 });
}
