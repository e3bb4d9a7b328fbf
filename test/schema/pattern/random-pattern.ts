import type { Random } from '../../../drills/ledger/random.js';

const CHARS = ['a', 'b', 's', 'K', '0', '_', ' ', '-', 'é', 'ж', 'ſ', '\u2028', '😀', '日'];
const CLASS_ESCAPES = ['\\d', '\\D', '\\w', '\\W', '\\s', '\\S'];
const PROPERTIES = ['\\p{L}', '\\P{L}', '\\p{Lu}', '\\p{Script=Cyrillic}', '\\p{Cc}', '\\p{ASCII}'];
const RANGES = ['a-c', 'A-Z', '0-9', 'a-z', 'à-ÿ', 'а-я', '\u2000-\u2fff'];
const QUANTIFIERS = ['*', '+', '?', '{2}', '{0}', '{1,3}', '{2,}', '{0,2}'];

/** Random regular expressions, valid with the flag u, of every feature that a table can have. */
export class RandomPattern {
  readonly #random: Random;
  readonly #isUnicode: boolean;

  constructor(random: Random, isUnicode: boolean) {
    this.#random = random;
    this.#isUnicode = isUnicode;
  }

  next(): string {
    const body = this.#alternatives(3, '');
    if (this.#random.once(3)) return `^(?:${body})$`;
    return this.#random.once(3) ? `^${body}` : body;
  }

  /** @param within '' or the kind of lookaround: a lookbehind holds none */
  #alternatives(depth: number, within: '' | 'ahead' | 'behind'): string {
    const count = 1 + (this.#random.once(3) ? this.#random.below(3) : 0);
    return Array.from({ length: count }, () => this.#sequence(depth, within)).join('|');
  }

  #sequence(depth: number, within: '' | 'ahead' | 'behind'): string {
    const count = this.#random.below(4);
    return Array.from({ length: count }, () => this.#term(depth, within)).join('');
  }

  #term(depth: number, within: '' | 'ahead' | 'behind'): string {
    const random = this.#random;
    if (random.once(8)) return random.pick(['^', '$', '\\b', '\\B']);
    if (depth > 0 && within !== 'behind' && random.once(10)) {
      const isBehind = within === '' && random.once(2);
      const open = random.pick(isBehind ? ['(?<=', '(?<!'] : ['(?=', '(?!']);
      return `${open}${this.#alternatives(depth - 1, isBehind ? 'behind' : 'ahead')})`;
    }
    const atom = this.#atom(depth, within);
    if (!random.once(3)) return atom;
    return atom + random.pick(QUANTIFIERS) + (random.once(4) ? '?' : '');
  }

  #atom(depth: number, within: '' | 'ahead' | 'behind'): string {
    const random = this.#random;
    if (depth > 0 && random.once(4)) {
      const open = random.pick(['(', '(?:', `(?<n${random.below(1e9)}>`]);
      return `${open}${this.#alternatives(depth - 1, within)})`;
    }
    if (random.once(6)) return '.';
    if (random.once(6)) return this.#escape();
    if (random.once(4)) return this.#class();
    return this.#char();
  }

  #class(): string {
    const count = this.#random.below(4);
    const members = Array.from({ length: count }, () => {
      if (this.#random.once(3)) return this.#escape();
      if (this.#random.once(2)) return this.#random.pick(RANGES);
      const char = this.#char();
      return char === '-' ? '\\-' : char;
    });
    return `[${this.#random.once(3) ? '^' : ''}${members.join('')}]`;
  }

  #escape(): string {
    const isProperty = this.#isUnicode && this.#random.once(3);
    return this.#random.pick(isProperty ? PROPERTIES : CLASS_ESCAPES);
  }

  /** Without the flag u, an astral character is two, which a table cannot tell apart. */
  #char(): string {
    const char = this.#random.pick(CHARS);
    return this.#isUnicode || char.length === 1 ? char : 'a';
  }
}

export function randomText(random: Random, lengthMax: number): string {
  const length = random.below(lengthMax + 1);
  return Array.from({ length }, () => random.pick(CHARS)).join('');
}
