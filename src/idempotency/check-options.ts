import { EXIT, OperatorFault } from '../model/fault.js';
import { whyNoKey } from './key-guarantee.js';
import { isPointer } from './key-in-order.js';

/**
 * Whether the schema guarantees that each order has the key. With a schema that takes any object it is looked for in each
 * order instead.
 *
 * @param idempotencyFrom see the option
 * @throws OperatorFault it does not
 */
export function checkKeySource(idempotencyFrom: string, schema: unknown): void {
  if (!idempotencyFrom.startsWith('/')) return;
  if (isPointer(idempotencyFrom) && isAnyObject(schema)) return;
  const why = whyNoKey(schema, idempotencyFrom);
  if (why === '') return;
  const fix = 'name a required string or integer of --schema, or a header';
  throw new OperatorFault(`--idempotency-from ${idempotencyFrom}: ${why}; fix: ${fix}`, EXIT.usage);
}

/** As of `--schema true`. */
function isAnyObject(schema: unknown): boolean {
  return JSON.stringify(schema) === '{"type":"object"}';
}
