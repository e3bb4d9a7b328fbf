import type { Ajv } from 'ajv';

/**
 * The keywords `const`, `enum` and `uniqueItems`, in place of those of ajv. Those compare with fast-deep-equal, which calls
 * `valueOf` of the value: a client's `{"valueOf":1}` makes it throw. And they compare each item with each other.
 */
export function addEqualityKeywords(ajv: Ajv): void {
  for (const keyword of ['const', 'enum']) ajv.removeKeyword(keyword);
  // In the order in which ajv checks them: the first of several faults is named.
  ajv.addKeyword({
    keyword: 'enum',
    before: 'not',
    schemaType: 'array',
    errors: false,
    compile: (values: readonly unknown[]) => isOneOf(values),
  });
  ajv.addKeyword({
    keyword: 'const',
    before: 'enum',
    errors: false,
    compile: (value: unknown) => isOneOf([value]),
  });
  addUniqueItems(ajv);
}

/** `uniqueItems` alone, for meta-schemas: they list no objects. */
export function addUniqueItems(ajv: Ajv): void {
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    // In draft-07 it is the last keyword of arrays.
    ...(ajv.getKeyword('maxContains') === false ? {} : { before: 'maxContains' }),
    schemaType: 'boolean',
    errors: false,
    error: { message: 'must NOT have duplicate items' },
    compile: (on: boolean) => (items: readonly unknown[]) => !on || areUnique(items),
  });
}

function isOneOf(values: readonly unknown[]): (value: unknown) => boolean {
  const scalars = new Set(values.filter((value) => !isObject(value)));
  const texts = new Set(values.filter(isObject).map(canonicalText));
  return (value) =>
    isObject(value) ? texts.size > 0 && texts.has(canonicalText(value)) : scalars.has(value);
}

function areUnique(items: readonly unknown[]): boolean {
  const scalars = new Set<unknown>();
  const texts = new Set<string>();
  for (const item of items) {
    if (isObject(item)) texts.add(canonicalText(item));
    else scalars.add(item);
  }
  return scalars.size + texts.size === items.length;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/**
 * The same text for equal JSON values: numbers by value, members sorted by name. Recursive: the depth of `value` must be
 * bounded.
 */
export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join()}]`;
  if (isObject(value)) {
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    const texts = members.map(([name, inner]) => `${JSON.stringify(name)}:${canonicalText(inner)}`);
    return `{${texts.join()}}`;
  }
  // JSON.stringify writes the value of 1e400 as null.
  return typeof value === 'number' ? String(value + 0) : JSON.stringify(value);
}
