import type { AST } from '@eslint-community/regexpp';
import { NotCompiled } from './budget.js';
import {
  type CodePoints,
  complement,
  rangesOf,
  SURROGATE_FIRST,
  SURROGATE_LAST,
  unite,
} from './code-points.js';
import { Everything } from './everything.js';

/** The flags that change what a character of a pattern matches. */
export interface CharFlags {
  readonly unicode: boolean;
  readonly ignoreCase: boolean;
  readonly dotAll: boolean;
}

type CharElement = AST.Character | AST.CharacterSet | AST.CharacterClass;
type Ranges = (readonly [number, number])[];

const DIGIT: CodePoints = [0x30, 0x39];
const WORD: CodePoints = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];
/** WhiteSpace and LineTerminator of ECMAScript. Zs is stable since Unicode 6.3. */
const SPACE: CodePoints = unite([
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
]);
const ESCAPES = { digit: DIGIT, space: SPACE, word: WORD };
/** General categories that never change: https://www.unicode.org/policies/stability_policy.html#Property_Value */
const STABLE: Readonly<Record<string, CodePoints>> = {
  Cc: [0x00, 0x1f, 0x7f, 0x9f],
  Cs: [SURROGATE_FIRST, SURROGATE_LAST],
};
export const LINE_TERMINATOR: CodePoints = [0x0a, 0x0a, 0x0d, 0x0d, 0x2028, 0x2029];
/** The first code point that stands for others when the engine is asked: see Everything. */
const NOT_ASKED = 0x40000;
/** With the flags u and i, ſ (U+017F) equals s, and the Kelvin sign (U+212A) equals k. */
const LONG_S = 0x17f;
const KELVIN = 0x212a;

/**
 * What single characters of a pattern match, exactly as the RegExp of this process does. Classes with \p{…}, and letters beyond
 * ASCII without case, depend on the Unicode version of the engine, with few exceptions: for them the engine itself is asked, once per class, about
 * every code point. In planes without characters it is asked about one code point for all of the same kind.
 */
export class CharSets {
  readonly #scanned = new Map<string, CodePoints>();
  readonly #everything = new Everything();

  of(element: CharElement, flags: CharFlags): CodePoints {
    const set = this.#withoutEngine(element, flags);
    return set ?? this.#scan(element.raw, flags);
  }

  /** The word characters of \b. */
  word(flags: CharFlags): CodePoints {
    return flags.unicode && flags.ignoreCase ? closeCase(WORD, true) : WORD;
  }

  #withoutEngine(element: CharElement, flags: CharFlags): CodePoints | undefined {
    if (element.type === 'CharacterSet' && element.kind === 'any') {
      return flags.dotAll ? complement([]) : complement(LINE_TERMINATOR);
    }
    const ranges: Ranges = [];
    const members = element.type === 'CharacterClass' ? element.elements : [element];
    const asked: string[] = [];
    for (const member of members) {
      if (!addMember(ranges, member, flags)) asked.push(member.raw);
    }
    let set = unite(ranges);
    if (flags.ignoreCase) {
      const last = set.length === 0 ? 0 : set[set.length - 1];
      if (last >= NOT_ASKED) throw new NotCompiled('it ignores the case of private characters');
      if (last > 0x7f || asked.length > 0) return undefined;
      set = closeCase(set, flags.unicode);
    } else if (asked.length > 0) {
      set = unite([...ranges, ...rangesOf(this.#scan(`[${asked.join('')}]`, flags))]);
    }
    return element.type === 'CharacterClass' && element.negate ? complement(set) : set;
  }

  #scan(raw: string, flags: CharFlags): CodePoints {
    if (!flags.unicode) throw new NotCompiled(`${raw} needs the flag u`);
    const key = `${flags.ignoreCase ? 'i' : ''}${raw}`;
    let set = this.#scanned.get(key);
    if (set === undefined) {
      set = this.#everything.matching(raw, flags.ignoreCase ? 'iu' : 'u');
      this.#scanned.set(key, set);
    }
    return set;
  }
}

/** @returns false if only the engine knows what the member matches */
function addMember(
  ranges: Ranges,
  member: AST.CharacterClassElement | CharElement,
  flags: CharFlags,
) {
  if (member.type === 'Character') {
    ranges.push([member.value, member.value]);
    return true;
  }
  if (member.type === 'CharacterClassRange') {
    ranges.push([member.min.value, member.max.value]);
    return true;
  }
  if (member.type !== 'CharacterSet') throw new NotCompiled(`${member.raw} is not supported`);
  if (member.kind === 'any') return false;
  if (member.negate && flags.ignoreCase) return false;
  const set = member.kind === 'property' ? stableSet(member) : ESCAPES[member.kind];
  if (set === undefined) return false;
  ranges.push(...rangesOf(member.negate ? complement(set) : set));
  return true;
}

function stableSet({ key, value }: AST.UnicodePropertyCharacterSet): CodePoints | undefined {
  return key === 'General_Category' && value !== null ? STABLE[value] : undefined;
}

/** @param set ASCII only */
function closeCase(set: CodePoints, isUnicode: boolean): CodePoints {
  const ranges: Ranges = rangesOf(set);
  for (const [first, last] of rangesOf(set)) {
    for (let code = first; code <= last; code += 1) {
      const lower = code | 0x20;
      if (lower < 0x61 || lower > 0x7a) continue;
      ranges.push([code ^ 0x20, code ^ 0x20]);
      if (isUnicode && lower === 0x73) ranges.push([LONG_S, LONG_S]);
      if (isUnicode && lower === 0x6b) ranges.push([KELVIN, KELVIN]);
    }
  }
  return unite(ranges);
}
