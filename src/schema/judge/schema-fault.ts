import type { Ajv, ErrorObject, MissingRefError } from 'ajv';
import { closeName } from '../../options/suggest.js';
import { openAjv, openMetaAjv } from './ajv.js';
import { BoundedAjv } from './bounded-ajv.js';
import { LinearMatchers } from './linear-regexp.js';
import { selfReference } from './references.js';
import {
  type Dialect,
  escapedName,
  type Schema,
  type SchemaObject,
  visitSchemas,
} from './subschemas.js';

/** Why a schema cannot be used, and the JSON pointer of the place. */
export interface SchemaFault {
  readonly pointer: string;
  readonly why: string;
  readonly fix: string;
}

/** Keywords that only ajv has, and one of draft-04. `$async` would accept every body. */
const NOT_OF_JSON_SCHEMA = ['$async', 'id'];
/** ajv reads it, and does not list it. */
const NOT_OF_AJV: Readonly<Record<Dialect, readonly string[]>> = {
  '2020-12': ['$anchor'],
  'draft-07': [],
};

/**
 * The first fault of a schema, or null. In this order: its meta-schema; keywords, formats and patterns that ajv does not
 * know; references.
 */
export function schemaFault(
  dialect: Dialect,
  schema: Schema,
  allowSlowPatterns: boolean,
): SchemaFault | null {
  const meta = openMetaAjv(dialect);
  if (!meta.validateSchema(schema)) return metaFault(meta.errors!);
  const ajv = openAjv(dialect, schema);
  const known = [...Object.keys(ajv.RULES.keywords), ...NOT_OF_AJV[dialect]];
  const keywords = known.filter((keyword) => !NOT_OF_JSON_SCHEMA.includes(keyword));
  let fault: SchemaFault | null = null;
  visitSchemas(schema, (inner, pointer) => {
    fault ??=
      keywordFault(keywords, inner, pointer) ??
      formatFault(ajv, inner, pointer) ??
      patternFault(inner, pointer);
  });
  fault ??=
    loopFault(schema) ?? dynamicFault(schema) ?? (allowSlowPatterns ? null : slowFault(schema));
  return fault ?? compileFault(dialect, schema);
}

function metaFault(errors: readonly ErrorObject[]): SchemaFault {
  // The most specific one: the others are of the keywords around it.
  const deepest = errors.reduce((a, b) => (b.instancePath.length > a.instancePath.length ? b : a));
  const { instancePath, message, params, keyword } = deepest;
  const why = keyword === 'enum' ? `must be one of ${params.allowedValues.join(', ')}` : message!;
  return { pointer: instancePath, why, fix: 'correct it' };
}

function keywordFault(
  keywords: readonly string[],
  schema: SchemaObject,
  pointer: string,
): SchemaFault | null {
  const unknown = Object.keys(schema).find((keyword) => !keywords.includes(keyword));
  if (unknown === undefined) return null;
  const near = closeName(unknown, keywords);
  const fix = near === undefined ? 'remove it' : `did you mean ${near}?`;
  return { pointer: `${pointer}/${escapedName(unknown)}`, why: 'unknown keyword', fix };
}

function formatFault(ajv: Ajv, { format }: SchemaObject, pointer: string): SchemaFault | null {
  if (format === undefined || (format as string) in ajv.formats) return null;
  const names = Object.keys(ajv.formats);
  const fix = `use one of ${names.sort().join(', ')}`;
  return { pointer: `${pointer}/format`, why: `unknown format ${JSON.stringify(format)}`, fix };
}

/** The patterns of a schema, and the pointer from there to each. */
function patternsOf({ pattern, patternProperties }: SchemaObject): (readonly [string, string])[] {
  const named = Object.keys((patternProperties as object | undefined) ?? {}).map(
    (source) => [source, `/patternProperties/${escapedName(source)}`] as const,
  );
  return typeof pattern === 'string' ? [[pattern, '/pattern'], ...named] : named;
}

/** The first pattern that could hang on a text of a client. */
function slowFault(schema: Schema): SchemaFault | null {
  const matchers = new LinearMatchers();
  let fault: SchemaFault | null = null;
  visitSchemas(schema, (inner, pointer) => {
    for (const [source, where] of fault === null ? patternsOf(inner) : []) {
      const slow = matchers.slowPattern(source, 'u');
      if (slow === null || fault !== null) continue;
      const time = slow.growth === 'unknown' ? 'may' : `can (${slow.growth} time)`;
      const why = `the pattern ${shortened(source)} ${time} hang on a text of a client, and has no table: ${slow.why}`;
      const fix = 'write it in another way, or set --allow-slow-patterns on';
      fault = { pointer: pointer + where, why, fix };
    }
  });
  return fault;
}

function shortened(source: string): string {
  const text = JSON.stringify(source);
  return text.length <= 80 ? text : `${text.slice(0, 77)}..."`;
}

function patternFault(schema: SchemaObject, pointer: string): SchemaFault | null {
  for (const [source, where] of patternsOf(schema)) {
    try {
      new RegExp(source, 'u');
    } catch (error) {
      const why = (error as Error).message.replaceAll('\n', '\\n');
      return { pointer: pointer + where, why, fix: 'correct the pattern' };
    }
  }
  return null;
}

/** A value of each type: ajv does not come to an end with a schema that refers to itself in a way that `loopFault` missed. */
const PROBES = [{}, [], '', 0, true, null];

/** What ajv finds when it compiles: references. */
function compileFault(dialect: Dialect, schema: Schema): SchemaFault | null {
  try {
    const ajv = new BoundedAjv(dialect, schema);
    for (const value of PROBES) {
      ajv.steps.begin(0);
      ajv.whole(value);
    }
    return null;
  } catch (error) {
    if (isMissingRef(error)) return missingFault(schema, error);
    if (error instanceof RangeError) {
      const why =
        'ajv runs out of stack: it has too many levels, too many patterns, or refers to itself';
      return { pointer: '', why, fix: 'make it smaller' };
    }
    if (error instanceof URIError) {
      return {
        pointer: '',
        why: 'a name in it has half a surrogate pair',
        fix: 'correct the name',
      };
    }
    const why = (error as Error).message.replaceAll('\n', ' ');
    return { pointer: '', why, fix: 'correct it' };
  }
}

/** By what it has, because its class is loaded with ajv. */
function isMissingRef(error: unknown): error is MissingRefError {
  return error instanceof Error && 'missingRef' in error;
}

function missingFault(schema: Schema, { message }: MissingRefError): SchemaFault {
  const reference = /^can't resolve reference (.*) from id /s.exec(message)?.[1];
  let pointer = '';
  visitSchemas(schema, (inner, at) => {
    if (pointer === '' && inner.$ref === reference) pointer = `${at}/$ref`;
  });
  const why = `cannot resolve the reference ${JSON.stringify(reference)}`;
  return {
    pointer,
    why,
    fix: 'refer to a part of this file: other files and addresses are not read',
  };
}

/** ajv takes a dynamic reference that it cannot resolve for `true`. */
function dynamicFault(schema: Schema): SchemaFault | null {
  const anchors = new Set<unknown>();
  const references: (readonly [string, string])[] = [];
  visitSchemas(schema, ({ $anchor, $dynamicAnchor, $dynamicRef }, pointer) => {
    anchors.add($anchor).add($dynamicAnchor);
    const name = /^#([^/].*)$/.exec(String($dynamicRef))?.[1];
    if (name !== undefined) references.push([name, `${pointer}/$dynamicRef`]);
  });
  const missing = references.find(([name]) => !anchors.has(name));
  if (missing === undefined) return null;
  const why = `cannot resolve the reference "#${missing[0]}"`;
  return { pointer: missing[1], why, fix: 'add a $dynamicAnchor of this name' };
}

function loopFault(schema: Schema): SchemaFault | null {
  const pointer = selfReference(schema);
  const why = 'the reference leads back to itself without going into the value';
  return pointer === null ? null : { pointer: `${pointer}/$ref`, why, fix: 'remove it' };
}
