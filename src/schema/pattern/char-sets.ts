import type { AST } from '@eslint-community/regexpp';
import { NotCompiled } from './budget.js';
import { type CodePoints, complement, rangesOf, SURROGATE_FIRST, unite } from './code-points.js';

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
export const LINE_TERMINATOR: CodePoints = [0x0a, 0x0a, 0x0d, 0x0d, 0x2028, 0x2029];
/** With the flags u and i, ſ (U+017F) equals s, and the Kelvin sign (U+212A) equals k. */
const LONG_S = 0x17f;
const KELVIN = 0x212a;

/** What a scan leaves out: planes 4 to 13 have no characters, and 15 and 16 are for private use. */
export const NOT_SCANNED: CodePoints = [0x40000, 0xdffff, 0xf0000, 0x10ffff];

/**
 * What single characters of a pattern match, exactly as the RegExp of this process does. Classes with \p{…}, and letters beyond
 * ASCII without case, depend on the Unicode version of the engine: for them the engine itself is asked, once per class, about
 * every code point of the planes that have characters.
 */
export class CharSets {
  readonly #scanned = new Map<string, CodePoints>();
  /** All code points that a scan asks about, in ascending order, without surrogates. */
  #everything = '';
  /** Whether a set came from a scan since this was last set to false: then NOT_SCANNED is unknown. */
  isPartial = false;

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
    for (const member of members) {
      if (!addMember(ranges, member, flags)) return undefined;
    }
    const isNegated = element.type === 'CharacterClass' && element.negate;
    let set = unite(ranges);
    if (flags.ignoreCase) {
      if (set.length > 0 && set[set.length - 1] > 0x7f) return undefined;
      set = closeCase(set, flags.unicode);
    }
    return isNegated ? complement(set) : set;
  }

  #scan(raw: string, flags: CharFlags): CodePoints {
    if (!flags.unicode) throw new NotCompiled(`${raw} needs the flag u`);
    this.isPartial = true;
    const key = `${flags.ignoreCase ? 'i' : ''}${raw}`;
    let set = this.#scanned.get(key);
    if (set === undefined) {
      if (this.#everything === '') this.#everything = everything();
      set = scan(this.#everything, new RegExp(`(?:${raw})+`, flags.ignoreCase ? 'giu' : 'gu'));
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
  if (member.kind === 'property' || member.kind === 'any') return false;
  if (member.negate && flags.ignoreCase) return false;
  const set = ESCAPES[member.kind];
  ranges.push(...rangesOf(member.negate ? complement(set) : set));
  return true;
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

const SURROGATES = 0x800;
/** Planes 1 to 3 follow the first in `everything()`, then plane 14. */
const PLANE_14 = 0xe0000;
const ASTRAL_AT = 0x10000 - SURROGATES;
const PLANE_14_AT = ASTRAL_AT + 2 * 0x30000;

function everything(): string {
  const units = new Uint16Array(PLANE_14_AT + 2 * 0x10000);
  for (let at = 0; at < ASTRAL_AT; at += 1) units[at] = codePointAt(at);
  for (let at = ASTRAL_AT; at < units.length; at += 2) {
    const offset = codePointAt(at) - 0x10000;
    units[at] = 0xd800 | (offset >> 10);
    units[at + 1] = 0xdc00 | (offset & 0x3ff);
  }
  return Buffer.from(units.buffer).toString('utf16le');
}

/** @param index in `everything()` */
function codePointAt(index: number): number {
  if (index < SURROGATE_FIRST) return index;
  if (index < ASTRAL_AT) return index + SURROGATES;
  if (index < PLANE_14_AT) return 0x10000 + (index - ASTRAL_AT) / 2;
  return PLANE_14 + (index - PLANE_14_AT) / 2;
}

function scan(text: string, runs: RegExp): CodePoints {
  const ranges: Ranges = [];
  for (let run = runs.exec(text); run !== null; run = runs.exec(text)) {
    // A run can cross the gap of the surrogates, which occur in no text, and the one before plane 14.
    const cuts = [run.index, PLANE_14_AT, runs.lastIndex].filter(
      (cut) => cut >= run.index && cut <= runs.lastIndex,
    );
    for (let at = 1; at < cuts.length; at += 1) {
      if (cuts[at] === cuts[at - 1]) continue;
      ranges.push([codePointAt(cuts[at - 1]), lastBefore(cuts[at])]);
    }
  }
  return unite(ranges);
}

/** The last code point before an index of `everything()`. */
function lastBefore(index: number): number {
  return codePointAt(index > ASTRAL_AT ? index - 2 : index - 1);
}
