import { createHash } from 'node:crypto';
import { orderSchema } from '../model/order.js';

/**
 * What a body must be: a JSON Schema. Made once, in the main thread; it can be cloned to other threads, each of which
 * compiles it.
 */
export interface Contract {
  /** The schema as it was read. */
  readonly text: string;
  /** The schema, parsed. */
  readonly schema: object | boolean;
  /** The first 16 hexadecimal digits of the SHA-256 of `text`. */
  readonly digest: string;
}

const orderSchemaText = JSON.stringify(orderSchema);

/** The built-in order. */
export const orderContract: Contract = {
  text: orderSchemaText,
  schema: orderSchema,
  digest: createHash('sha256').update(orderSchemaText).digest('hex').slice(0, 16),
};
