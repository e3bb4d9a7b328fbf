import { NotCompiled, type WorkBudget } from './budget.js';
import { LINE_TERMINATOR } from './char-sets.js';
import {
  ASTRAL_FIRST,
  CODE_POINT_MAX,
  type CodePoints,
  SURROGATE_FIRST,
  SURROGATE_LAST,
} from './code-points.js';

/** What the conditions ^, $ and \b need to know of a character, or of the end of the text. */
export const Kind = { OTHER: 0, WORD: 1, LINE: 2, EDGE: 3 } as const;
export const KINDS = 4;

/** The characters of a pattern by class: the pattern cannot tell two characters of one class apart. */
export interface Alphabet {
  /** How many classes there are. */
  readonly size: number;
  /** [first, last, class, …] in ascending order. A code point in no range cannot occur. */
  readonly ranges: readonly number[];
  /** The classes of each set of the pattern. */
  readonly classesOf: readonly (readonly number[])[];
  /** The kind of each class: OTHER if the pattern does not ask. */
  readonly kinds: readonly number[];
  /** Without the flag u: the class of all surrogates, of which an astral code point is two to the pattern; else -1. */
  readonly surrogate: number;
}

export interface AlphabetOptions {
  readonly isUnicode: boolean;
  /** The word characters, if the pattern has \b. */
  readonly word: CodePoints | undefined;
  readonly isMultiline: boolean;
  /** Whether only the content of JSON strings without escapes is read, not any string. */
  readonly isRaw: boolean;
}

/** What the content of a JSON string without escapes cannot hold, besides surrogates: control characters, quote, backslash. */
const NOT_RAW: CodePoints = [0, 0x1f, 0x22, 0x22, 0x5c, 0x5c];

/** More than this, with the classes of what cannot occur and the quote, do not fit into a byte. */
const CLASSES_MAX = 250;

export function makeAlphabet(
  sets: readonly CodePoints[],
  options: AlphabetOptions,
  budget: WorkBudget,
): Alphabet {
  const all = [...sets];
  const wordIndex = options.word === undefined ? -1 : all.push(options.word) - 1;
  const lineIndex = options.isMultiline ? all.push(LINE_TERMINATOR) - 1 : -1;
  const neverIndex = options.isRaw ? all.push(NOT_RAW) - 1 : -1;
  const classes = new Map<string, number>();
  const ranges: number[] = [];
  const kinds: number[] = [];
  const classesOf = all.map((): number[] => []);
  let surrogate = -1;
  const lastCodePoint = options.isUnicode ? CODE_POINT_MAX : ASTRAL_FIRST - 1;
  for (const { first, last, members } of intervals(all, lastCodePoint, budget)) {
    if (members.includes(neverIndex)) continue;
    const isSurrogate = first >= SURROGATE_FIRST && last <= SURROGATE_LAST;
    if (isSurrogate && options.isUnicode && options.isRaw) continue;
    const isHalf = isSurrogate && !options.isUnicode;
    const key = isHalf ? 'surrogate' : members.join();
    let id = classes.get(key);
    if (id === undefined) {
      id = classes.size;
      if (id === CLASSES_MAX) throw new NotCompiled('it tells too many characters apart');
      classes.set(key, id);
      for (const member of members) classesOf[member].push(id);
      kinds.push(kindOf(members, wordIndex, lineIndex));
    } else if (isHalf) {
      throw new NotCompiled('it tells surrogates apart; use the flag u');
    }
    if (isHalf) surrogate = id;
    if (!isHalf || !options.isRaw) ranges.push(first, last, id);
  }
  if (!options.isUnicode && options.isRaw) ranges.push(ASTRAL_FIRST, CODE_POINT_MAX, surrogate);
  classesOf.length = sets.length;
  return { size: classes.size, ranges, classesOf, kinds, surrogate };
}

function kindOf(members: readonly number[], wordIndex: number, lineIndex: number): number {
  if (members.includes(wordIndex)) return Kind.WORD;
  return members.includes(lineIndex) ? Kind.LINE : Kind.OTHER;
}

/** Cuts all code points into the longest intervals whose code points are in the same sets. */
function* intervals(sets: readonly CodePoints[], lastCodePoint: number, budget: WorkBudget) {
  const events: [number, number][] = [
    [0, -1],
    [SURROGATE_FIRST, -1],
    [SURROGATE_LAST + 1, -1],
    [lastCodePoint + 1, -1],
  ];
  for (const [index, set] of sets.entries()) {
    budget.spend(set.length);
    for (let at = 0; at < set.length; at += 2) {
      events.push([set[at], index], [set[at + 1] + 1, index]);
    }
  }
  events.sort((left, right) => left[0] - right[0]);
  const active = new Set<number>();
  let at = 0;
  while (events[at][0] <= lastCodePoint) {
    const first = events[at][0];
    for (; events[at][0] === first; at += 1) {
      const index = events[at][1];
      if (index >= 0 && !active.delete(index)) active.add(index);
    }
    budget.spend(active.size + 1);
    const members = [...active].sort((left, right) => left - right);
    yield { first, last: events[at][0] - 1, members };
  }
}
