import { EXIT, OperatorFault } from '../model/fault.js';
import { whyNoKey } from './key-guarantee.js';
import { isPointer } from './key-in-order.js';

/** Headers whose value says nothing about the order: with one of them as key, all orders but the first would be refused. */
const SAME_FOR_ALL = [
  'accept',
  'accept-encoding',
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'host',
  'origin',
  'transfer-encoding',
  'user-agent',
  'x-api-key',
];

/**
 * Whether orders have a key of their own there: a header must not be one that is the same for all, and the schema must
 * guarantee that each order has the member. With a schema that takes any object it is looked for in each order instead.
 *
 * @param idempotencyFrom see the option
 * @throws OperatorFault it does not
 */
export function checkKeySource(idempotencyFrom: string, schema: unknown): void {
  if (SAME_FOR_ALL.includes(idempotencyFrom.toLowerCase())) {
    const why = 'it does not tell orders apart';
    throw fault(
      idempotencyFrom,
      why,
      'name the header with the id of the event, or a JSON pointer',
    );
  }
  if (!idempotencyFrom.startsWith('/')) return;
  if (isPointer(idempotencyFrom) && isAnyObject(schema)) return;
  const why = whyNoKey(schema, idempotencyFrom);
  if (why === '') return;
  throw fault(idempotencyFrom, why, 'name a required string or integer of --schema, or a header');
}

function fault(idempotencyFrom: string, why: string, fix: string): OperatorFault {
  return new OperatorFault(
    `--idempotency-from ${idempotencyFrom}: ${why}; fix: ${fix}`,
    EXIT.usage,
  );
}

/** As of `--schema true`. */
function isAnyObject(schema: unknown): boolean {
  return JSON.stringify(schema) === '{"type":"object"}';
}
