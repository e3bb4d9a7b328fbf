import { LeftToAjv } from './left-to-ajv.js';
import type { Reading, SchemaObject } from './reading.js';
import { pointerTo, type Schema } from './references.js';
import {
  ANY_STRING,
  anyRules,
  type Member,
  noRules,
  type ObjectRules,
  type Rules,
  type StringRules,
} from './rules.js';

type Schemas = { readonly [name: string]: Schema };

const KEYWORDS = [
  'properties',
  'patternProperties',
  'additionalProperties',
  'propertyNames',
  'required',
  'minProperties',
  'maxProperties',
];

/** The rules for objects; null if any object is valid. */
export function readObject(
  reader: Reading,
  pointer: string,
  schema: SchemaObject,
): ObjectRules | null {
  if (!KEYWORDS.some((keyword) => schema[keyword] !== undefined)) return null;
  const { minProperties, maxProperties, additionalProperties, propertyNames } = schema;
  const properties = schemasOf(schema, 'properties');
  const patterns = Object.entries(schemasOf(schema, 'patternProperties')).map(([pattern, one]) => ({
    regExp: new RegExp(pattern, 'u'),
    table: reader.tables.pattern('patternProperties', pattern),
    rules: reader.at(pointerTo(pointer, 'patternProperties', pattern), one),
  }));
  const additional =
    additionalProperties === undefined
      ? anyRules()
      : reader.at(pointerTo(pointer, 'additionalProperties'), additionalProperties as Schema);
  const isNameValid = (name: string): boolean =>
    propertyNames === undefined || reader.accepts(pointerTo(pointer, 'propertyNames'), name);

  const required = new Set((schema.required as string[] | undefined) ?? []);
  const member = (name: string): Member => {
    const rules: Rules[] = patterns.filter((one) => one.regExp.test(name)).map((one) => one.rules);
    if (Object.hasOwn(properties, name)) {
      rules.unshift(reader.at(pointerTo(pointer, 'properties', name), properties[name]!));
    } else if (rules.length === 0) {
      rules.push(additional);
    }
    if (!isNameValid(name)) rules.unshift(noRules());
    return { name, rules, isRequired: required.has(name) };
  };
  return {
    members: [...new Set([...Object.keys(properties), ...required])].map(member),
    patterns,
    additional,
    names: namesOf(reader, pointer, propertyNames as Schema | undefined),
    countMin: (minProperties as number | undefined) ?? 0,
    countMax: (maxProperties as number | undefined) ?? Infinity,
  };
}

function schemasOf(schema: SchemaObject, keyword: string): Schemas {
  const schemas = (schema[keyword] ?? {}) as Schemas;
  // ajv ignores it, or does not, by the number of the others.
  if (Object.hasOwn(schemas, '__proto__')) {
    throw new LeftToAjv(keyword, 'the name __proto__ is special in ajv');
  }
  return schemas;
}

function namesOf(reader: Reading, pointer: string, schema: Schema | undefined): StringRules | null {
  if (schema === undefined || schema === true) return null;
  const rules = reader.at(pointerTo(pointer, 'propertyNames'), schema);
  const isPlain = rules.kind === 'value' && rules.also.length === 0 && rules.choices.length === 0;
  if (!isPlain) throw new LeftToAjv('propertyNames', 'names are checked by string keywords only');
  if ((rules.types & 1) === 0) return { ...ANY_STRING, lengthMax: -1 };
  return rules.string;
}
