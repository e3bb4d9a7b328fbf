import { bytesOf, emitCases } from './emit-names.js';
import { emitString } from './emit-scalars.js';
import { KnownNames } from './known-names.js';
import type { Member, ObjectRules } from './rules.js';
import type { RulesWriter } from './writer.js';

/** Members of an object with more are found by a hash. */
const CASES_MAX = 24;

/** White space, if there is any; sets `c`. */
export const SPACE = 'if (c <= 32) { at = space(s, b, at); c = b[at]; }\n';
/** From behind a name to its value. */
const COLON = `c = b[at];
if (c !== 58) { at = space(s, b, at); if (b[at] !== 58) return -1; }
c = b[++at];
${SPACE}`;

/** The body of a function for an object at `at`. `d` counts the arrays and objects around it. */
export function emitObject(writer: RulesWriter, rules: ObjectRules): string {
  const byHash = rules.members.length > CASES_MAX;
  const counts = rules.countMin > 0 || rules.countMax !== Infinity;
  const members = byHash ? emitHashed(writer, rules) : emitSwitched(writer, rules);
  const tests = [members.after];
  if (rules.countMin > 0) tests.push(`if (n < ${rules.countMin}) return -1;\n`);
  if (rules.countMax !== Infinity) tests.push(`if (n > ${rules.countMax}) return -1;\n`);
  return `if (d >= ${writer.depthMax}) return -1;
d++;
let c = b[++at], o = 0;
${counts ? 'let n = 0;\n' : ''}${members.before}${SPACE}if (c === 125) at++;
else for (;;) {
if (c !== 34) return -1;
${counts ? 'n++;\n' : ''}M: {
${members.member}
${emitOther(writer, rules)}
}
c = b[at];
${SPACE}if (c === 44) { c = b[++at]; ${SPACE}continue; }
if (c !== 125) return -1;
at++;
break;
}
${tests.join('')}return at;`;
}

interface MemberCode {
  /** Declares what the others need. */
  readonly before: string;
  /** Reads a member with a known name and leaves the block M. */
  readonly member: string;
  /** Behind the object: checks `required`. */
  readonly after: string;
}

/** A comparison for each name, and a bit of `seen` for each member. */
function emitSwitched(writer: RulesWriter, { members }: ObjectRules): MemberCode {
  const cases = members.map(({ name, rules }, index) => ({
    text: name,
    code: `if ((seen & ${1 << index}) !== 0) return -1;\nseen |= ${1 << index};\n${COLON}${writer.values(rules)}break M;`,
  }));
  const required = members.reduce(
    (bits, { isRequired }, index) => (isRequired ? bits | (1 << index) : bits),
    0,
  );
  return {
    before: 'let seen = 0;\n',
    member: emitCases(cases),
    after: required === 0 ? '' : `if ((seen & ${required}) !== ${required}) return -1;\n`,
  };
}

/** One search for all names, and bits in `s.bits`. */
function emitHashed(writer: RulesWriter, { members }: ObjectRules): MemberCode {
  const { source } = writer;
  const found: { member: Member; bytes: Uint8Array }[] = [];
  let hasOdd = false;
  for (const member of members) {
    const bytes = bytesOf(member.name);
    if (bytes !== null) found.push({ member, bytes: bytes.subarray(0, -1) });
    else hasOdd ||= member.isRequired;
  }
  const known = source.constant(new KnownNames(found.map(({ bytes }) => bytes)));
  const needs = Uint8Array.from(found, ({ member }) => Number(member.isRequired));
  const required = needs.reduce((sum, need) => sum + need, 0);
  const readers = source.newName('v');
  const functions = found.map(({ member }) => writer.functionOf(member.rules));
  source.addLine(`const ${readers} = [${functions.join()}];`);
  const words = (found.length + 31) >>> 5;
  return {
    before: `let missing = ${required};
const bits = s.takeBits(${words});
if (bits < 0) return -1;
`,
    member: `const i = ${known}.find(b, at, end);
if (i >= 0) {
if (!s.mark(bits, i)) return -1;
missing -= ${source.constant(needs)}[i];
at += ${known}.size(i) + 1;
${COLON}at = ${readers}[i](b, at, end, d);
if (at < 0 || at >= end) return -1;
break M;
}
`,
    after: `s.bitsUsed = bits;\nif (${hasOdd} || missing !== 0) return -1;\n`,
  };
}

/** A member whose name is not in the schema. */
function emitOther(writer: RulesWriter, rules: ObjectRules): string {
  const { additional, patterns, names } = rules;
  const { source } = writer;
  const isClosed = additional.kind === 'value' && additional.types === 0;
  if (isClosed && patterns.length === 0) return 'return -1;\n';
  writer.usesNames = true;
  const name = `if (o === 0) o = s.names.open();
const q = at;
at = s.names.add(b, at, end, o);
if (at < 0) return -1;
`;
  const nameRules = names === null ? '' : `at = q;\n${emitString(writer, names)}`;
  if (patterns.length === 0) return `${name}${nameRules}${COLON}${writer.values([additional])}`;
  const matches = patterns.map(({ table }) => {
    const matched = source.constant(writer.tableOf(table));
    return `matchAny(${matched}, b, q + 1, end) >= 0`;
  });
  const matched = matches.map((match, i) => `const m${i} = ${match};\n`).join('');
  const passes = patterns.map(
    (one, i) =>
      `if (m${i}) { s.spaces = w; e = ${writer.functionOf([one.rules])}(b, at, end, d);\nif (e < 0 || e >= end) return -1; }\n`,
  );
  const other = writer.functionOf([additional]);
  return `${name}${nameRules}${matched}${COLON}const w = s.spaces;
let e = -1;
${passes.join('')}if (e < 0) { e = ${other}(b, at, end, d);
if (e < 0 || e >= end) return -1; }
at = e;
`;
}
