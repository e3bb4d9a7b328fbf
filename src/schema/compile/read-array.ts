import type { Reading, SchemaObject } from './reading.js';
import { pointerTo, type Schema } from './references.js';
import { type ArrayRules, anyRules, isFree } from './rules.js';

/** The rules for arrays; null if any array is valid. */
export function readArray(
  reader: Reading,
  pointer: string,
  schema: SchemaObject,
): ArrayRules | null {
  const { minItems, maxItems } = schema;
  const [tuple, others] = Array.isArray(schema.items)
    ? ['items', 'additionalItems']
    : ['prefixItems', 'items'];
  const first = ((schema[tuple!] as Schema[] | undefined) ?? []).map((one, index) =>
    reader.at(pointerTo(pointer, tuple!, index), one),
  );
  const otherItems = schema[others!] as Schema | undefined;
  const rest =
    otherItems === undefined ? anyRules() : reader.at(pointerTo(pointer, others!), otherItems);
  const hasCount = minItems !== undefined || maxItems !== undefined;
  if (!hasCount && first.length === 0 && otherItems === undefined) return null;
  if (!hasCount && first.length === 0 && isFree(rest) && typeof otherItems === 'boolean')
    return null;
  return {
    first,
    rest,
    countMin: (minItems as number | undefined) ?? 0,
    countMax: (maxItems as number | undefined) ?? Infinity,
  };
}
