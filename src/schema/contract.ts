import { createHash } from 'node:crypto';
import { orderSchema } from '../model/order.js';
import { canonicalText } from './judge/equality.js';
import type { Dialect, Schema } from './judge/subschemas.js';

/**
 * What a body must be: a JSON Schema. Made once, in the main thread; it can be cloned to other threads, each of which
 * compiles it.
 */
export interface Contract {
  /** The value of `--schema`: a file, `true`, or '' for the built-in order. */
  readonly source: string;
  readonly schema: Schema;
  readonly dialect: Dialect;
  /** The same for the same schema, whatever the white space and the order of members: 16 hexadecimal digits. */
  readonly digest: string;
}

/** The contract of an order, without `--schema`. */
export const orderContract: Contract = contractOf('', orderSchema as unknown as Schema, '2020-12');

export function contractOf(source: string, schema: Schema, dialect: Dialect): Contract {
  const text = `${dialect} ${canonicalText(schema)}`;
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return { source, schema, dialect, digest };
}
