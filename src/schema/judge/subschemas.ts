/** The drafts of JSON Schema that `$schema` can name. */
export type Dialect = '2020-12' | 'draft-07';

/** A JSON Schema as JSON.parse returns it. */
export type Schema = boolean | SchemaObject;
export type SchemaObject = { readonly [keyword: string]: unknown };

/** Keywords whose value is a schema. */
const ONE = [
  'additionalItems',
  'additionalProperties',
  'contains',
  'else',
  'if',
  'items',
  'not',
  'propertyNames',
  'then',
  'unevaluatedItems',
  'unevaluatedProperties',
];
/** Keywords whose value is an array of schemas. `items` may be, in draft-07. */
const MANY = ['allOf', 'anyOf', 'items', 'oneOf', 'prefixItems'];
/** Keywords whose value is an object of schemas by name. `dependencies` may have arrays of names instead. */
const NAMED = [
  '$defs',
  'definitions',
  'dependencies',
  'dependentSchemas',
  'patternProperties',
  'properties',
];

/** A schema inside another one, and its JSON pointer from there. */
export interface Subschema {
  readonly pointer: string;
  readonly schema: Schema;
}

/** Calls `visit` with a schema and each schema in it, parents first. `schema` must be valid against its meta-schema. */
export function visitSchemas(
  schema: Schema,
  visit: (schema: SchemaObject, pointer: string) => void,
): void {
  const open: Subschema[] = [{ pointer: '', schema }];
  while (open.length > 0) {
    const next = open.pop()!;
    if (typeof next.schema === 'boolean') continue;
    visit(next.schema, next.pointer);
    const inner = subschemasOf(next.schema).map(({ pointer, schema }) => ({
      pointer: next.pointer + pointer,
      schema,
    }));
    open.push(...inner.reverse());
  }
}

/** The schemas that are directly inside `schema`. */
export function subschemasOf(schema: SchemaObject): Subschema[] {
  return Object.keys(schema).flatMap((keyword) => {
    const value = schema[keyword];
    if (Array.isArray(value)) return MANY.includes(keyword) ? schemasIn(value, keyword) : [];
    if (NAMED.includes(keyword)) return schemasIn(value as object, keyword);
    return ONE.includes(keyword) ? [{ pointer: `/${keyword}`, schema: value as Schema }] : [];
  });
}

function schemasIn(holder: object, keyword: string): Subschema[] {
  return Object.entries(holder)
    .filter(([, value]) => !Array.isArray(value))
    .map(([name, schema]) => ({ pointer: `/${keyword}/${escapedName(name)}`, schema }));
}

/** A name as a part of a JSON pointer. */
export function escapedName(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
