import type { Schema, SchemaObject } from '../../schema/judge/subschemas.js';

/**
 * A schema of 2020-12 in the keywords of draft-07, which json-schema-to-typescript knows. What has no counterpart and
 * only makes a type narrower is left out.
 */
export function asDraft07(schema: Schema): Schema {
  return converted(schema) as Schema;
}

function converted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(converted);
  if (typeof value !== 'object' || value === null) return value;
  const { prefixItems, items, unevaluatedProperties, not, $schema, ...rest } =
    value as SchemaObject;
  const schema: Record<string, unknown> = Object.fromEntries(
    Object.entries(rest).map(([keyword, inner]) => [
      keyword,
      KEEPS_VALUES.includes(keyword) ? inner : converted(inner),
    ]),
  );
  if (Array.isArray(prefixItems)) {
    schema.items = converted(prefixItems);
    if (items !== undefined) schema.additionalItems = converted(items);
  } else if (items !== undefined) schema.items = converted(items);
  const isClosed = unevaluatedProperties === false && !('additionalProperties' in schema);
  if (isClosed && !UNIONS.some((keyword) => keyword in schema)) schema.additionalProperties = false;
  return schema;
}

/** Keywords whose value is data, not schemas. */
const KEEPS_VALUES = ['const', 'default', 'enum', 'examples', 'required'];
/** With them, more members are evaluated than those of `properties`. */
const UNIONS = ['allOf', 'anyOf', 'oneOf', '$ref', 'if', 'dependentSchemas'];
