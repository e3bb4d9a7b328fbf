import type { SchemaObject } from './reading.js';
import type { NumberRules } from './rules.js';

const ANY_NUMBER: NumberRules = {
  isInteger: false,
  minimum: -Infinity,
  maximum: Infinity,
  exclusiveMinimum: -Infinity,
  exclusiveMaximum: Infinity,
  multiplesOf: [],
  values: null,
};

/** Formats of ajv-formats, with their limits. */
const INTEGER_FORMATS: Readonly<Record<string, readonly [number, number]>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [-Infinity, Infinity],
};

/** The rules for numbers. Never null with a type, because ajv takes a value beyond the range of a double for no number. */
export function readNumber(schema: SchemaObject, isInteger: boolean): NumberRules | null {
  const rules: Record<string, unknown> = { ...ANY_NUMBER, isInteger };
  let isFree = schema.type === undefined;
  for (const bound of ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum']) {
    if (schema[bound] === undefined) continue;
    rules[bound] = schema[bound];
    isFree = false;
  }
  if (schema.multipleOf !== undefined) {
    rules.multiplesOf = [schema.multipleOf];
    isFree = false;
  }
  const integers = INTEGER_FORMATS[String(schema.format)];
  if (integers !== undefined) {
    rules.isInteger = true;
    rules.minimum = Math.max(rules.minimum as number, integers[0]);
    rules.maximum = Math.min(rules.maximum as number, integers[1]);
    isFree = false;
  }
  return isFree ? null : (rules as unknown as NumberRules);
}

export function onlyNumbers(values: readonly number[]): NumberRules {
  return { ...ANY_NUMBER, values };
}
