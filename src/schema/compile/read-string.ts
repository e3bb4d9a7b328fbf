import type { ByteDfa } from '../pattern/byte-dfa.js';
import type { ByteCheck } from '../pattern/date-time.js';
import type { Reading, SchemaObject } from './reading.js';
import { ANY_STRING, type StringRules } from './rules.js';

/** The rules for strings; null if any string is valid. */
export function readString(reader: Reading, schema: SchemaObject): StringRules | null {
  const { minLength, maxLength, pattern, format } = schema;
  const tables: ByteDfa[] = [];
  if (typeof pattern === 'string') tables.push(reader.tables.pattern('pattern', pattern));
  const checks: ByteCheck[] = [];
  if (typeof format === 'string') addFormat(reader, format, tables, checks);
  const isFree =
    minLength === undefined && maxLength === undefined && tables.length + checks.length === 0;
  if (isFree) return null;
  return {
    ...ANY_STRING,
    lengthMin: (minLength as number | undefined) ?? 0,
    lengthMax: (maxLength as number | undefined) ?? Infinity,
    tables,
    checks,
  };
}

/** Formats of ajv-formats for numbers, and those that accept any string. */
const NOT_FOR_STRINGS = ['int32', 'int64', 'float', 'double', 'password', 'binary'];

function addFormat(reader: Reading, format: string, tables: ByteDfa[], checks: ByteCheck[]): void {
  if (NOT_FOR_STRINGS.includes(format)) return;
  const compiled = reader.tables.format(format);
  if (typeof compiled === 'function') checks.push(compiled);
  else tables.push(compiled);
}
