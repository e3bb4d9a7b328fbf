import { emitCases } from './emit-names.js';
import { typesOf } from './read-choices.js';
import { type Choice, type Rules, type Scalar, type Tag, TYPE } from './rules.js';
import type { RulesWriter } from './writer.js';

/** The types, each with the first byte of its values. The last has many. */
const FIRST_BYTES: readonly (readonly [number, string])[] = [
  [TYPE.string, 'c === 34'],
  [TYPE.object, 'c === 123'],
  [TYPE.array, 'c === 91'],
  [TYPE.true, 'c === 116'],
  [TYPE.false, 'c === 102'],
  [TYPE.null, 'c === 110'],
  [TYPE.number, 'true'],
];

/** Reads the value at `t` by one of the branches; sets `at`. `w` is `s.spaces` at `t`. */
export function emitChoice(writer: RulesWriter, { branches, tag }: Choice): string {
  const cases = FIRST_BYTES.map(([type, condition]) => {
    const possible = branches.filter((branch) => (typesOf(branch) & type) !== 0);
    const code =
      possible.length > 1 && type === TYPE.object && tag !== null
        ? emitTagged(writer, branches, tag)
        : emitTried(writer, possible);
    return `if (${condition}) {\n${code}}\n`;
  });
  return `s.spaces = w;\nat = t;\nc = b[t];\n${cases.join('else ')}if (at < 0) return -1;\n`;
}

function emitTried(writer: RulesWriter, branches: readonly Rules[]): string {
  if (branches.length === 0) return 'return -1;\n';
  const calls = branches.map((branch) => `at = ${writer.functionOf([branch])}(b, t, end, d);\n`);
  return calls.map((call, i) => (i === 0 ? call : retried(call))).join('');
}

function retried(call: string): string {
  return `if (at < 0) { s.spaces = w; s.bitsUsed = u;\n${call}}\n`;
}

/** Looks for the tag first, and then reads the value by the branch that it names. */
function emitTagged(
  writer: RulesWriter,
  branches: readonly Rules[],
  { name, values }: Tag,
): string {
  writer.usesNames = true;
  const wanted = writer.source.constant(new TextEncoder().encode(`${name}"`));
  const label = writer.source.newName('L');
  const strings: { text: string; code: string }[] = [];
  const others: string[] = [];
  const calls: string[] = [];
  for (const [index, branch] of branches.entries()) {
    for (const value of values[index]!) {
      if (typeof value === 'string')
        strings.push({ text: value, code: `i = ${index}; break ${label};` });
      else others.push(`if (${scalarTest(value)}) i = ${index};\n`);
    }
    if (values[index]!.length === 0) continue;
    calls.push(`case ${index}: at = ${writer.functionOf([branch])}(b, t, end, d); break;\n`);
  }
  return `let i = -1, x = NaN;
at = peek(s, b, t, end, d, ${wanted});
if (at < 0) return -1;
c = b[at];
${label}: {
if (c === 34) { ${emitCases(strings)} break ${label}; }
if (c === 45 || (c >= 48 && c <= 57)) { if (number(b, at, value) < 0) return -1; x = value[0]; }
${others.join('')}}
s.spaces = w;
switch (i) {
${calls.join('')}default: return -1;
}
`;
}

function scalarTest(value: Exclude<Scalar, string>): string {
  if (typeof value === 'number') return `x === ${value}`;
  return `c === ${JSON.stringify(value).charCodeAt(0)}`;
}
