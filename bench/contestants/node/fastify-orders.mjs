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
 * POST /orders by Fastify's book: body and answer by schema, its own parser, no log.
 *
 * @param {(order: object) => Promise<unknown>} keep resolves when the order is kept
 * @returns {Promise<string>} its url
 */
export async function serveOrders(keep) {
  const app = fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    // Its defaults would make "3" of 3 and drop members that are not in the schema: orders that are not valid.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  });
  app.setErrorHandler((error, _request, reply) => {
    const status = error.statusCode ?? answers.busy.status;
    const isInvalid = status === answers.invalid.status;
    reply.code(status).send({ result: isInvalid ? 'invalid' : error.message });
  });
  const schema = { body: orderSchema, response: { '2xx': resultSchema } };
  app.post('/orders', { schema }, async (request) => {
    await keep(request.body);
    return { result: 'created' };
  });
  return app.listen({ host: '127.0.0.1', port: 0 });
}
