import type { ByteDfa } from '../pattern/byte-dfa.js';
import { emitChoice } from './emit-choices.js';
import { emitObject, SPACE } from './emit-objects.js';
import { emitNumber, emitString } from './emit-scalars.js';
import { type MatchTable, matchTable } from './match.js';
import { type ArrayRules, isFree, type Rules, TYPE, type ValueRules } from './rules.js';
import type { Source } from './source.js';
import type { RulesWriter, ValueCheck } from './writer.js';

const IS_NUMBER = 'c === 45 || (c >= 48 && c <= 57)';
/** After a value that can end with the last byte of the body: what it is in is still open. */
const NESTED = 'if (at < 0 || at >= end) return -1;\n';

/** Writes rules as code. */
export class Emitter implements RulesWriter {
  readonly source: Source;
  readonly depthMax: number;
  usesNames = false;
  readonly #part: (pointer: string) => ValueCheck;
  readonly #functions = new Map<Rules, string>();
  readonly #tables = new Map<ByteDfa, MatchTable>();

  constructor(source: Source, depthMax: number, part: (pointer: string) => ValueCheck) {
    this.source = source;
    this.depthMax = depthMax;
    this.#part = part;
  }

  tableOf(dfa: ByteDfa): MatchTable {
    const known = this.#tables.get(dfa);
    if (known !== undefined) return known;
    const table = matchTable(dfa);
    this.#tables.set(dfa, table);
    return table;
  }

  values(all: readonly Rules[]): string {
    if (all.length !== 1) return `at = ${this.functionOf(all)}(b, at, end, d);\n${NESTED}`;
    const [rules] = all as [Rules];
    if (rules.kind === 'value' && isScalar(rules)) return this.#byType(rules);
    return `at = ${this.functionOf(all)}(b, at, end, d);\n${NESTED}`;
  }

  functionOf(all: readonly Rules[]): string {
    if (all.length !== 1) {
      const passes = all.map(
        (rules) => `at = ${this.functionOf([rules])}(b, t, end, d);\nif (at < 0) return -1;\n`,
      );
      return this.source.functionOf(
        `const t = at, w = s.spaces;\n${passes.join('s.spaces = w;\n')}return at;`,
      );
    }
    const [rules] = all as [Rules];
    const known = this.#functions.get(rules);
    if (known !== undefined) return known;
    if (rules.kind === 'part') {
      this.usesNames = true;
      const check = this.source.constant(this.#part(rules.pointer));
      return this.#named(rules, this.source.functionOf(`return part(s, b, at, end, d, ${check});`));
    }
    if (isFree(rules)) {
      this.usesNames = true;
      return this.#named(rules, this.source.functionOf('return skip(s, b, at, end, d);'));
    }
    if (isScalar(rules)) {
      const body = `let c = b[at];\n${this.#byType(rules)}return at;`;
      return this.#named(rules, this.source.functionOf(body));
    }
    // Named before it is written, because it may call itself.
    const name = this.#named(rules, this.source.newName('f'));
    const { object, array } = rules;
    if (isPlain(rules) && rules.types === TYPE.object && object !== null) {
      this.source.addFunction(name, `if (b[at] !== 123) return -1;\n${emitObject(this, object)}`);
    } else if (isPlain(rules) && rules.types === TYPE.array && array !== null) {
      this.source.addFunction(name, `if (b[at] !== 91) return -1;\n${this.#arrayBody(array)}`);
    } else {
      this.source.addFunction(name, this.#passes(rules));
    }
    return name;
  }

  #named(rules: Rules, name: string): string {
    this.#functions.set(rules, name);
    return name;
  }

  /** The body of a function. */
  #passes(rules: ValueRules): string {
    const { also, choices } = rules;
    const own: ValueRules = { ...rules, also: [], choices: [] };
    const passes: string[] = [];
    if (!isFree(own)) passes.push(this.#byType(own));
    for (const one of also) {
      passes.push(`at = ${this.functionOf([one])}(b, t, end, d);\nif (at < 0) return -1;\n`);
    }
    for (const choice of choices) passes.push(emitChoice(this, choice));
    const begin = 's.spaces = w;\nat = t;\nc = b[t];\n';
    return `const t = at, w = s.spaces, u = s.bitsUsed;\nlet c = b[at];\n${passes.join(begin)}return at;`;
  }

  /** Code for a value by its first byte. */
  #byType(rules: ValueRules): string {
    const { types } = rules;
    const cases: [string, string][] = [];
    if ((types & TYPE.string) !== 0) cases.push(['c === 34', emitString(this, rules.string)]);
    if ((types & TYPE.object) !== 0) cases.push(['c === 123', this.#object(rules)]);
    if ((types & TYPE.array) !== 0) cases.push(['c === 91', this.#array(rules.array)]);
    const words = [
      [TYPE.true, 'c === 116'],
      [TYPE.false, 'c === 102'],
      [TYPE.null, 'c === 110'],
    ] as const;
    const isWord = words.filter(([type]) => (types & type) !== 0).map(([, test]) => test);
    if (isWord.length > 0) {
      cases.push([isWord.join(' || '), 'at = afterWord(b, at, end);\nif (at < 0) return -1;\n']);
    }
    if ((types & TYPE.number) !== 0) cases.push([IS_NUMBER, emitNumber(this.source, rules.number)]);
    if (cases.length === 0) return 'return -1;\n';
    if (cases.length === 1) return `if (!(${cases[0]![0]})) return -1;\n${cases[0]![1]}`;
    return `${cases.map(([test, code]) => `if (${test}) {\n${code}}\n`).join('else ')}else return -1;\n`;
  }

  #object({ object }: ValueRules): string {
    if (object === null) return this.#any();
    return `at = ${this.source.functionOf(emitObject(this, object))}(b, at, end, d);\nif (at < 0) return -1;\n`;
  }

  #any(): string {
    this.usesNames = true;
    return 'at = skip(s, b, at, end, d);\nif (at < 0) return -1;\n';
  }

  #array(rules: ArrayRules | null): string {
    if (rules === null) return this.#any();
    return `at = ${this.source.functionOf(this.#arrayBody(rules))}(b, at, end, d);\nif (at < 0) return -1;\n`;
  }

  #arrayBody({ first, rest, countMin, countMax }: ArrayRules): string {
    const counts = first.length > 0 || countMin > 0 || countMax !== Infinity;
    const cases = first.map((rules, i) => `case ${i + 1}: {\n${this.values([rules])}break; }\n`);
    const other = this.values([rest]);
    const item =
      first.length > 0 ? `switch (n) {\n${cases.join('')}default: {\n${other}} }\n` : other;
    const tests: string[] = [];
    if (countMin > 0) tests.push(`if (n < ${countMin}) return -1;\n`);
    if (countMax !== Infinity) tests.push(`if (n > ${countMax}) return -1;\n`);
    return `if (d >= ${this.depthMax}) return -1;
d++;
let c = b[++at];
${counts ? 'let n = 0;\n' : ''}${SPACE}if (c === 93) at++;
else for (;;) {
${counts ? 'n++;\n' : ''}${item}c = b[at];
${SPACE}if (c === 44) { c = b[++at]; ${SPACE}continue; }
if (c !== 93) return -1;
at++;
break;
}
${tests.join('')}return at;`;
  }
}

function isPlain({ also, choices }: ValueRules): boolean {
  return also.length === 0 && choices.length === 0;
}

function isScalar(rules: ValueRules): boolean {
  return isPlain(rules) && (rules.types & (TYPE.object | TYPE.array)) === 0;
}
