import { onlyNumbers } from './read-number.js';
import type { Reading, SchemaObject } from './reading.js';
import { ANY_STRING, anyRules, noRules, type Rules, TYPE, type ValueRules } from './rules.js';

/**
 * The rules of a schema with `enum` or `const`: the values that ajv accepts by the whole schema. They are the only ones, so
 * all other keywords are decided here.
 */
export function valuesRules(reader: Reading, pointer: string, schema: SchemaObject): ValueRules {
  const listed = 'const' in schema ? [schema.const] : (schema.enum as unknown[]);
  const isOne = 'const' in schema !== 'enum' in schema;
  const isAlone = isOne && Object.keys(schema).every((keyword) => ALONE.includes(keyword));
  return rulesOf(isAlone ? listed : listed.filter((value) => reader.accepts(pointer, value)));
}

/** Keywords beside which all values that are listed are valid. */
const ALONE = ['const', 'enum', 'title', 'description', 'default', 'examples'];

function rulesOf(values: readonly unknown[]): ValueRules {
  const rules = noRules();
  // JSON Schema 2020-12 allows a value to be listed twice.
  const strings = [...new Set(values.filter((value) => typeof value === 'string'))];
  const numbers = values.filter((value) => typeof value === 'number');
  if (strings.length > 0) rules.types |= TYPE.string;
  if (numbers.length > 0) rules.types |= TYPE.number;
  if (values.includes(true)) rules.types |= TYPE.true;
  if (values.includes(false)) rules.types |= TYPE.false;
  if (values.includes(null)) rules.types |= TYPE.null;
  rules.string = { ...ANY_STRING, values: strings };
  rules.number = onlyNumbers(numbers);
  const containers = values.filter((value) => typeof value === 'object' && value !== null);
  if (containers.length === 0) return rules;
  const branches = containers.map(containerRules);
  if (branches.length === 1 && rules.types === 0) return branches[0]!;
  const choice = rules.types === 0 ? branches : [rules, ...branches];
  return { ...anyRules(), choices: [{ branches: choice, tag: null }] };
}

/** The rules that one object or array alone meets. */
function containerRules(value: unknown): ValueRules {
  const rules = noRules();
  if (Array.isArray(value)) {
    rules.types = TYPE.array;
    const first: Rules[] = value.map((item) => rulesOf([item]));
    rules.array = { first, rest: noRules(), countMin: first.length, countMax: first.length };
    return rules;
  }
  rules.types = TYPE.object;
  const members = Object.entries(value as object).map(([name, one]) => ({
    name,
    rules: [rulesOf([one])],
    isRequired: true,
  }));
  rules.object = {
    members,
    patterns: [],
    additional: noRules(),
    names: null,
    countMin: 0,
    countMax: Infinity,
  };
  return rules;
}
