import fastify from 'fastify';
import { answers } from '../../../dist/src/model/answers.js';
import { orderSchema } from '../../../dist/src/model/order.js';

const BODY_BYTES_MAX = 4096;

const resultSchema = {
  type: 'object',
  required: ['result'],
  properties: { result: { type: 'string' } },
};

/**
 * POST /orders as Fastify's docs recommend: schemas for body and response, its own parser, no log.
 *
 * @param {(order: object) => Promise<unknown>} store resolves when the order is stored
 * @returns {Promise<string>} the URL
 */
export async function serveOrders(store) {
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
  const schema = { body: orderSchema, response: { '2xx': resultSchema } };
  app.post('/orders', { schema }, async (request) => {
    await store(request.body);
    return { result: 'created' };
  });
  return app.listen({ host: '127.0.0.1', port: 0 });
}
