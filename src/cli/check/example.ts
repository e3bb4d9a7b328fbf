import type { Schema, SchemaObject } from '../../schema/judge/subschemas.js';

/** References and levels that are followed: a recursive schema has no end. */
const DEPTH_MAX = 12;

/**
 * A body for a schema, made from its `examples`, `default`, `const` and `enum`, and simple values where it has none. It
 * may be invalid, for example if there is a pattern without an example.
 */
export function exampleOf(schema: Schema): Uint8Array {
  const value = new ExampleMaker(schema).of(schema, DEPTH_MAX) ?? null;
  return new TextEncoder().encode(JSON.stringify(value));
}

class ExampleMaker {
  readonly #root: Schema;

  constructor(root: Schema) {
    this.#root = root;
  }

  /** Undefined where no value is known, which leaves an optional member out. */
  of(schema: unknown, depth: number): unknown {
    if (typeof schema !== 'object' || schema === null || depth === 0) return undefined;
    const one = schema as SchemaObject;
    if (Array.isArray(one.examples) && one.examples.length > 0) return one.examples[0];
    for (const keyword of ['default', 'const']) if (keyword in one) return one[keyword];
    if (Array.isArray(one.enum)) return one.enum[0];
    if (typeof one.$ref === 'string') return this.of(this.#target(one.$ref), depth - 1);
    for (const keyword of ['oneOf', 'anyOf', 'allOf']) {
      const branches = one[keyword];
      if (Array.isArray(branches) && one.properties === undefined)
        return this.of(branches[0], depth - 1);
    }
    return this.#ofType(one, depth);
  }

  #ofType(schema: SchemaObject, depth: number): unknown {
    const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
    if (type === 'object' || schema.properties !== undefined) return this.#object(schema, depth);
    if (type === 'array') return this.#array(schema, depth);
    if (type === 'string') return textFor(schema);
    if (type === 'integer' || type === 'number') return numberFor(schema);
    if (type === 'boolean') return true;
    return type === 'null' ? null : undefined;
  }

  #object(schema: SchemaObject, depth: number): unknown {
    const members = Object.entries((schema.properties as object | undefined) ?? {})
      .map(([name, inner]) => [name, this.of(inner, depth - 1)] as const)
      .filter(([, value]) => value !== undefined);
    return Object.fromEntries(members);
  }

  #array(schema: SchemaObject, depth: number): unknown[] {
    const { items, prefixItems, minItems = 1 } = schema;
    const tuple = (Array.isArray(items) ? items : (prefixItems ?? [])) as unknown[];
    const first = tuple.map((inner) => this.of(inner, depth - 1) ?? null);
    const rest = Array.isArray(items) ? undefined : this.of(items, depth - 1);
    if (rest === undefined) return first;
    const missing = Math.max(0, Math.min(minItems as number, 100) - first.length);
    return [...first, ...Array.from({ length: missing }, () => rest)];
  }

  #target(reference: string): unknown {
    let at: unknown = this.#root;
    for (const part of reference.split('/').slice(1)) {
      const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
      at = (at as SchemaObject | undefined)?.[name];
    }
    return at;
  }
}

/** An example of each usual format. */
const FORMATTED: Readonly<Record<string, string>> = {
  'date-time': '2026-01-31T12:00:00Z',
  date: '2026-01-31',
  time: '12:00:00Z',
  duration: 'P1D',
  email: 'name@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  'uri-reference': '/path',
  uuid: '123e4567-e89b-12d3-a456-426614174000',
};
/** Texts that simple patterns match. */
const TEXTS = [
  'text',
  'Text',
  'TEXT',
  '1',
  '10',
  '2026-01-31',
  'EUR',
  'DE',
  'a',
  'abc123',
  'a-1',
  'a_1',
  '+49301234567',
];

function textFor({ format, pattern, minLength = 0, maxLength }: SchemaObject): string {
  if (typeof format === 'string' && format in FORMATTED) return FORMATTED[format]!;
  const longest = typeof maxLength === 'number' ? maxLength : Number.POSITIVE_INFINITY;
  if (typeof pattern === 'string') {
    const matches = new RegExp(pattern, 'u');
    return TEXTS.find((text) => text.length <= longest && matches.test(text)) ?? '';
  }
  const text = 'text'.padEnd(Math.min(minLength as number, 10_000), 'x');
  return text.slice(0, Math.min(longest, text.length));
}

function numberFor(schema: SchemaObject): number {
  const { minimum, exclusiveMinimum, maximum, multipleOf } = schema as Record<
    string,
    number | undefined
  >;
  const step = multipleOf ?? 1;
  const least =
    minimum ??
    (exclusiveMinimum === undefined ? Math.min(1, maximum ?? 1) : exclusiveMinimum + step);
  return Math.ceil(least / step) * step;
}
