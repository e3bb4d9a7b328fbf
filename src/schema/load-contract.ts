import { readFileSync } from 'node:fs';
import { EXIT, OperatorFault, whyNotRead } from '../model/fault.js';
import { type Contract, contractOf, orderContract } from './contract.js';
import { brokenAt } from './judge/grammar.js';
import { schemaFault } from './judge/schema-fault.js';
import { StrictJson } from './judge/strict-json.js';
import type { Dialect, Schema } from './judge/subschemas.js';

/** By `$schema`. */
const DIALECTS: Readonly<Record<string, Dialect>> = {
  'https://json-schema.org/draft/2020-12/schema': '2020-12',
  'http://json-schema.org/draft-07/schema': 'draft-07',
};

/** `--schema true`: any JSON object. */
const ANY_OBJECT: Schema = { type: 'object' };
/** Arrays and objects inside each other in a schema file: ten times what a person writes. ajv recurses. */
const SCHEMA_DEPTH_MAX = 400;
const SCHEMA_BYTES_MAX = 16 * 1024 * 1024;

/**
 * The contract that `--schema` stands for.
 *
 * @param source a file, `true` for any JSON object, or '' for the built-in order
 * @param allowSlowPatterns accept patterns that take more than linear time
 * @throws OperatorFault there is no such file, or it is not a schema that can be used
 */
export function loadContract(source: string, allowSlowPatterns = false): Contract {
  if (source === '') return orderContract;
  if (source === 'true') return contractOf(source, ANY_OBJECT, '2020-12');
  const schema = parsedSchema(source, readSchema(source));
  // Any JSON object, as with `--schema true`.
  if (schema === true) return contractOf(source, ANY_OBJECT, '2020-12');
  const dialect = dialectOf(source, schema);
  const fault = schemaFault(dialect, schema, allowSlowPatterns);
  if (fault !== null) throw refused(source, `${fault.pointer || '/'}: ${fault.why}`, fault.fix);
  return contractOf(source, schema, dialect);
}

function readSchema(source: string): Uint8Array {
  try {
    const bytes = readFileSync(source);
    if (bytes.length <= SCHEMA_BYTES_MAX) return bytes;
  } catch (error) {
    throw refused(
      source,
      whyNotRead(error),
      'name a file with a JSON Schema, or true for any JSON object',
    );
  }
  throw refused(source, `it is larger than ${SCHEMA_BYTES_MAX} bytes`, 'make the schema smaller');
}

function parsedSchema(source: string, bytes: Uint8Array): Schema {
  const json = new StrictJson(SCHEMA_DEPTH_MAX);
  const fault = json.read(bytes);
  if (fault === 'json') throw notJson(source, Buffer.from(bytes).toString());
  if (fault === 'utf8') throw refused(source, 'it is not UTF-8', 'save it as UTF-8');
  if (fault === 'depth') {
    const why = `it has more than ${SCHEMA_DEPTH_MAX} arrays and objects inside each other`;
    throw refused(source, why, 'move the inner schemas to $defs');
  }
  if (fault === 'duplicate') {
    throw refused(source, 'an object has two members of the same name', 'remove one of them');
  }
  const { value } = json;
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isObject || value === true) return value as Schema;
  const what = value === false ? 'the schema false accepts no body' : 'it is not an object';
  throw refused(source, `/: ${what}`, 'write a JSON Schema, or true for any JSON object');
}

function notJson(source: string, text: string): OperatorFault {
  const at = brokenAt(text);
  const lines = text.slice(0, at).split('\n');
  const where = `line ${lines.length}, column ${lines.at(-1)!.length + 1}`;
  const what = at === text.length ? 'the text ends too early' : `unexpected ${shown(text, at)}`;
  return refused(source, `not JSON: ${what} at ${where} (character ${at})`, 'correct the file');
}

function shown(text: string, at: number): string {
  const code = text.codePointAt(at)!;
  const isVisible = code > 0x20 && code < 0x7f;
  return isVisible ? text[at]! : `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

function dialectOf(source: string, schema: Schema): Dialect {
  const name = typeof schema === 'object' ? schema.$schema : undefined;
  if (name === undefined) return '2020-12';
  const dialect = typeof name === 'string' ? DIALECTS[name.replace(/#$/, '')] : undefined;
  if (dialect !== undefined) return dialect;
  const why = `/$schema: ${JSON.stringify(name)} is not supported`;
  throw refused(source, why, `use one of ${Object.keys(DIALECTS).join(', ')}`);
}

function refused(source: string, why: string, fix: string): OperatorFault {
  return new OperatorFault(`--schema ${source}: ${why}; fix: ${fix}`, EXIT.usage);
}
