import { createRequire } from 'node:module';
import type { Ajv, Options } from 'ajv';
import type { Ajv2020 } from 'ajv/dist/2020.js';
import { addEqualityKeywords, addUniqueItems } from './equality.js';
import { LinearMatchers } from './linear-regexp.js';
import { type Dialect, type Schema, subschemasOf, visitSchemas } from './subschemas.js';

/**
 * The settings that decide about a body. Wrong schemas, unknown keywords and formats are refused before ajv sees a schema, by
 * `schemaFault`; the other rules of its strict mode are about style.
 */
const SETTINGS = {
  strict: false,
  // NaN and infinity, such as 1e400, are no numbers.
  strictNumbers: true,
  unicodeRegExp: true,
  // `toString` and `__proto__` are members of an object only if it was sent with them.
  ownProperties: true,
  // So that each reference is a function, and the code of a schema is not copied to where it is used.
  inlineRefs: false,
  validateSchema: false,
  // Errors have the value and the schema, which `Alternatives` reads.
  verbose: true,
  logger: false,
} as const;

const require = createRequire(import.meta.url);

/** Loads ajv, which has a hundred files, when the first one is needed: most threads never ask it. */
function emptyAjv(dialect: Dialect, settings: Options): Ajv {
  if (dialect === 'draft-07') {
    const { Ajv } = require('ajv') as typeof import('ajv');
    return new Ajv(settings);
  }
  const { Ajv2020 } = require('ajv/dist/2020.js') as typeof import('ajv/dist/2020.js');
  return asAjv(new Ajv2020(settings));
}

/** Both are the same class with other keywords, which the types do not say. */
function asAjv(ajv: Ajv2020): Ajv {
  return ajv as unknown as Ajv;
}

/** An ajv that checks schemas against their meta-schema. */
export function openMetaAjv(dialect: Dialect): Ajv {
  const ajv = emptyAjv(dialect, { strict: false, logger: false });
  addUniqueItems(ajv);
  return ajv;
}

/** A new ajv that decides about bodies. The one place that configures it: all verdicts come from here. */
export function openAjv(dialect: Dialect, schema: Schema): Ajv {
  const matchers = new LinearMatchers();
  const regExp = Object.assign(
    (source: string, flags: string) => matchers.matcher(source, flags),
    // For schemas as modules, which nothing makes.
    { code: 'linearRegExp' },
  );
  const allErrors = nestingOf(schema) > NESTING_MAX;
  const ajv = emptyAjv(dialect, { ...SETTINGS, allErrors, code: { regExp } });
  (require('ajv-formats') as typeof import('ajv-formats')).default(ajv);
  if (usesFormat(schema, SLOW_FORMAT)) replaceFormat(ajv, SLOW_FORMAT, matchers);
  addEqualityKeywords(ajv);
  return ajv;
}

/** The one format of ajv-formats whose regular expression is slow. Its automaton takes some ten milliseconds to make. */
const SLOW_FORMAT = 'url';

function usesFormat(schema: Schema, name: string): boolean {
  let isUsed = false;
  visitSchemas(schema, ({ format }) => {
    if (format === name) isUsed = true;
  });
  return isUsed;
}

function replaceFormat(ajv: Ajv, name: string, matchers: LinearMatchers): void {
  const { source, flags } = ajv.formats[name] as RegExp;
  const matcher = matchers.matcher(source, flags);
  ajv.addFormat(name, (text: string) => matcher.test(text));
}

/**
 * ajv writes each member that it checks into an `if` inside the one before, and Node.js cannot run code with more than
 * about 1,000 inside each other. With `allErrors` it writes them one after another, and finds the same first error.
 */
const NESTING_MAX = 400;

/** The deepest `if` in the code of ajv, estimated. */
function nestingOf(schema: Schema): number {
  if (typeof schema === 'boolean') return 0;
  const inner = subschemasOf(schema);
  return inner.reduce((most, one) => Math.max(most, nestingOf(one.schema)), 0) + inner.length;
}
