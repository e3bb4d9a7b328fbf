import { bytesOf, emitCases } from './emit-names.js';
import { KnownNames } from './known-names.js';
import { LONG_INTEGER_MIN } from './number.js';
import type { NumberRules, StringRules } from './rules.js';
import type { Source } from './source.js';
import type { RulesWriter } from './writer.js';

/*
 * The code of this and the other files `emit-*`: `b` holds the body, `at` is the first byte of a value and `c` that byte; behind
 * the code, `at` is the offset after the value. It returns -1 from the function if the value is not valid, or not certainly.
 */

/** More values than this are found by a hash. */
const CASES_MAX = 24;
/** Most bytes of UTF-8 of a code point, and of its spelling as two escapes. */
const BYTES_PER_POINT_MAX = 12;

export function emitString(writer: RulesWriter, rules: StringRules | null): string {
  if (rules === null) return 'at = text(b, at + 1, end);\nif (at < 0) return -1;\n';
  const { source } = writer;
  const { lengthMin, lengthMax, tables, checks, values } = rules;
  if (values !== null) return emitStringValues(source, values);
  if (tables.some((table) => table.isNothing) || lengthMin > lengthMax) return 'return -1;\n';
  const reads = tables.map((dfa) => {
    const table = writer.tableOf(dfa);
    const name = source.constant(table);
    if (table.ascii.length === 0) return `matchAny(${name}, b, t, end)`;
    return `${table.hasRuns ? 'matchRuns' : 'matchSteps'}(${name}, b, t, end)`;
  });
  for (const check of checks) reads.push(`${source.constant(check)}(b, t)`);
  if (reads.length === 0) reads.push('text(b, t, end)');
  const code = reads.map((read) => `at = ${read};\nif (at < 0) return -1;\n`).join('');
  return `{ const t = at + 1;\n${code}${emitLength(lengthMin, lengthMax)} }\n`;
}

/** The bytes of a string are enough to decide about most of them. */
function emitLength(least: number, most: number): string {
  if (least === 0 && most === Infinity) return '';
  const exact: string[] = [];
  if (least > 1) exact.push(`n < ${least * BYTES_PER_POINT_MAX}`);
  if (most !== Infinity) exact.push(`n > ${most}`);
  const tooShort = least > 0 ? `if (n < ${least}) return -1;\n` : '';
  if (exact.length === 0) return `const n = at - 1 - t;\n${tooShort}`;
  const counted = `!hasLength(b, t, at - 1, ${least}, ${most})`;
  return `const n = at - 1 - t;\n${tooShort}if ((${exact.join(' || ')}) && ${counted}) return -1;\n`;
}

function emitStringValues(source: Source, values: readonly string[]): string {
  if (values.length <= CASES_MAX) {
    const label = source.newName('L');
    const cases = values.map((text) => ({ text, code: `break ${label};` }));
    return `${label}: { ${emitCases(cases)} return -1; }\n`;
  }
  const bytes = values.map(bytesOf).filter((one) => one !== null);
  const known = source.constant(new KnownNames(bytes.map((one) => one.subarray(0, -1))));
  const index = `{ const i = ${known}.find(b, at, end);\nif (i < 0) return -1;\n`;
  return `${index}at += ${known}.size(i) + 1; }\n`;
}

export function emitNumber(source: Source, rules: NumberRules | null): string {
  if (rules === null) return 'at = afterNumber(b, at);\nif (at < 0) return -1;\n';
  const tests: string[] = [];
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, values } = rules;
  if (values !== null) {
    tests.push(
      values.length <= CASES_MAX
        ? `(${values.map((value) => `x === ${value}`).join(' || ') || 'false'})`
        : `${source.constant(new Set(values))}.has(x)`,
    );
  }
  if (rules.isInteger) tests.push('x === Math.floor(x)');
  if (minimum !== -Infinity) tests.push(`x >= ${minimum}`);
  if (maximum !== Infinity) tests.push(`x <= ${maximum}`);
  if (exclusiveMinimum !== -Infinity) tests.push(`x > ${exclusiveMinimum}`);
  if (exclusiveMaximum !== Infinity) tests.push(`x < ${exclusiveMaximum}`);
  for (const divisor of rules.multiplesOf) tests.push(`isWhole(x / ${divisor})`);
  const reader = isNearEnough(rules) ? 'nearNumber' : 'number';
  const read = `at = ${reader}(b, at, value);\nif (at < 0) return -1;\n`;
  if (tests.length === 0) return read;
  return `${read}{ const x = value[0];\nif (!(${tests.join(' && ')})) return -1; }\n`;
}

/** Whether all rules are the same for every integer with many digits. */
function isNearEnough(rules: NumberRules): boolean {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = rules;
  const bounds = [minimum, maximum, exclusiveMinimum, exclusiveMaximum];
  return (
    rules.values === null &&
    rules.multiplesOf.length === 0 &&
    bounds.every((bound) => Math.abs(bound) < LONG_INTEGER_MIN || !Number.isFinite(bound))
  );
}
