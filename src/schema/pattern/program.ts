import { type AST, RegExpParser } from '@eslint-community/regexpp';
import { NotCompiled, type WorkBudget } from './budget.js';
import type { CharFlags, CharSets } from './char-sets.js';
import type { CodePoints } from './code-points.js';

/** Bounds the copies of repeated groups, such as (a{1,1000}){1,1000}. */
const NODES_MAX = 50_000;

/** What a node of a program does. `first` and `second` of a node depend on it. */
export const Op = {
  /** Matches a character of set `first`, goes on at `second`. */
  CHAR: 0,
  /** Goes on at `first` and at `second`. */
  SPLIT: 1,
  /** The following hold at a position or not, and go on at `second`. `first`: see each. */
  START: 2,
  END: 3,
  /** \b; `first` is 1 for \B. */
  BOUNDARY: 4,
  /** `first` indexes `looks`. */
  LOOK: 5,
  /** The pattern matches. */
  MATCH: 6,
} as const;

/** A lookahead or lookbehind. */
export interface Look {
  readonly body: Program;
  readonly isBehind: boolean;
  readonly isNegative: boolean;
}

/** A nondeterministic automaton over code points (over UTF-16 code units without the flag u), as parallel arrays. */
export interface Program {
  readonly ops: number[];
  readonly firsts: number[];
  readonly seconds: number[];
  readonly looks: Look[];
  start: number;
  hasBoundary: boolean;
}

/** A pattern as a program, and the sets of characters that it and its lookarounds use, each once. */
export interface ParsedPattern {
  readonly program: Program;
  readonly sets: readonly CodePoints[];
  /** The word characters of \b under these flags. */
  readonly word: CodePoints;
  readonly isUnicode: boolean;
  readonly isMultiline: boolean;
}

/**
 * @param source valid in this process: `new RegExp(source, flags)` does not throw
 * @throws NotCompiled for back references, the flag v, and lookarounds within a lookbehind or lookbehinds within a lookahead
 */
export function parse(
  source: string,
  flags: string,
  charSets: CharSets,
  budget: WorkBudget,
): ParsedPattern {
  if (flags.includes('v')) throw new NotCompiled('the flag v is not supported');
  const isUnicode = flags.includes('u');
  const charFlags = {
    unicode: isUnicode,
    ignoreCase: flags.includes('i'),
    dotAll: flags.includes('s'),
  };
  const sets = new SetTable();
  const pattern = parseSource(source, isUnicode);
  const builder = new Builder(charSets, sets, budget);
  return {
    program: builder.build(pattern.alternatives, charFlags),
    sets: sets.all,
    word: charSets.word(charFlags),
    isUnicode,
    isMultiline: flags.includes('m'),
  };
}

/** @throws NotCompiled if the engine knows syntax that the parser does not */
export function parseSource(source: string, isUnicode: boolean): AST.Pattern {
  try {
    return new RegExpParser().parsePattern(source, 0, source.length, { unicode: isUnicode });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new NotCompiled(error.message);
  }
}

class SetTable {
  readonly all: CodePoints[] = [];
  readonly #indexes = new Map<string, number>();

  indexOf(set: CodePoints): number {
    const key = set.join();
    let index = this.#indexes.get(key);
    if (index === undefined) {
      index = this.all.push(set) - 1;
      this.#indexes.set(key, index);
    }
    return index;
  }
}

/** Builds a program from its end to its start: each method gets the node to go on at and returns its own first node. */
class Builder {
  readonly #charSets: CharSets;
  readonly #sets: SetTable;
  readonly #budget: WorkBudget;
  readonly #program: Program = {
    ops: [],
    firsts: [],
    seconds: [],
    looks: [],
    start: 0,
    hasBoundary: false,
  };
  /** The kind of lookaround that this program is the body of. */
  readonly #within: 'pattern' | 'lookahead' | 'lookbehind';
  readonly #nodeOf = new Map<number, number>();
  /** A repeated group builds each of its characters many times. */
  readonly #setOf = new Map<AST.Element, number>();

  constructor(
    charSets: CharSets,
    sets: SetTable,
    budget: WorkBudget,
    within: 'pattern' | 'lookahead' | 'lookbehind' = 'pattern',
  ) {
    this.#charSets = charSets;
    this.#sets = sets;
    this.#budget = budget;
    this.#within = within;
  }

  build(alternatives: readonly AST.Alternative[], flags: CharFlags): Program {
    const match = this.#node(Op.MATCH, 0, 0);
    this.#program.start = this.#alternatives(alternatives, flags, match);
    return this.#program;
  }

  /** A node. Two with the same content are one, so that alternatives share the ends that they have in common. */
  #node(op: number, first: number, second: number): number {
    if (op === Op.SPLIT && first === second) return first;
    const key = (op * NODES_MAX + first) * NODES_MAX + second;
    let node = this.#nodeOf.get(key);
    if (node === undefined) {
      node = this.#newNode(op, first, second);
      this.#nodeOf.set(key, node);
    } else {
      this.#budget.spend(1);
    }
    return node;
  }

  #newNode(op: number, first: number, second: number): number {
    this.#budget.spend(1);
    if (this.#program.ops.length === NODES_MAX) {
      throw new NotCompiled(`it has more than ${NODES_MAX.toLocaleString('en')} nodes`);
    }
    this.#program.firsts.push(first);
    this.#program.seconds.push(second);
    return this.#program.ops.push(op) - 1;
  }

  #alternatives(all: readonly AST.Alternative[], flags: CharFlags, next: number): number {
    let start = this.#sequence(all[all.length - 1], flags, next);
    for (let at = all.length - 2; at >= 0; at -= 1) {
      start = this.#node(Op.SPLIT, this.#sequence(all[at], flags, next), start);
    }
    return start;
  }

  #sequence(alternative: AST.Alternative, flags: CharFlags, next: number): number {
    for (let at = alternative.elements.length - 1; at >= 0; at -= 1) {
      next = this.#element(alternative.elements[at], flags, next);
    }
    return next;
  }

  #element(element: AST.Element, flags: CharFlags, next: number): number {
    switch (element.type) {
      case 'Character':
      case 'CharacterSet':
      case 'CharacterClass':
        return this.#node(Op.CHAR, this.#setIndex(element, flags), next);
      case 'Group':
        if (element.modifiers !== null) throw new NotCompiled('(?flags:…) is not supported');
        return this.#alternatives(element.alternatives, flags, next);
      case 'CapturingGroup':
        return this.#alternatives(element.alternatives, flags, next);
      case 'Quantifier':
        return this.#repeat(element, flags, next);
      case 'Assertion':
        return this.#assertion(element, flags, next);
      case 'Backreference':
        throw new NotCompiled('back references are not supported');
      default:
        throw new NotCompiled(`${element.raw} is not supported`);
    }
  }

  #setIndex(element: AST.Character | AST.CharacterSet | AST.CharacterClass, flags: CharFlags) {
    let index = this.#setOf.get(element);
    if (index === undefined) {
      const set = this.#charSets.of(element, flags);
      this.#budget.spend(set.length);
      index = this.#sets.indexOf(set);
      this.#setOf.set(element, index);
    }
    return index;
  }

  /**
   * An iteration that consumes nothing ends the repetition in JavaScript. It only adds conditions to a match that exists without
   * it, so the language is the same as without this rule.
   */
  #repeat({ element, min, max }: AST.Quantifier, flags: CharFlags, next: number): number {
    if (max === Number.POSITIVE_INFINITY) {
      const loop = this.#newNode(Op.SPLIT, 0, next);
      this.#program.firsts[loop] = this.#element(element, flags, loop);
      next = loop;
    } else {
      const end = next;
      for (let count = min; count < max; count += 1) {
        next = this.#node(Op.SPLIT, this.#element(element, flags, next), end);
      }
    }
    for (let count = 0; count < min; count += 1) {
      const after = next;
      next = this.#element(element, flags, after);
      // An empty body takes no nodes, so that the budget would not end {1000000000}.
      if (next === after) break;
    }
    return next;
  }

  #assertion(assertion: AST.Assertion, flags: CharFlags, next: number): number {
    switch (assertion.kind) {
      case 'start':
        return this.#node(Op.START, 0, next);
      case 'end':
        return this.#node(Op.END, 0, next);
      case 'word':
        this.#program.hasBoundary = true;
        return this.#node(Op.BOUNDARY, assertion.negate ? 1 : 0, next);
      default:
        return this.#node(Op.LOOK, this.#look(assertion, flags), next);
    }
  }

  #look(assertion: AST.LookaroundAssertion, flags: CharFlags): number {
    const isBehind = assertion.kind === 'lookbehind';
    if (this.#within === 'lookbehind') {
      throw new NotCompiled('a lookaround within a lookbehind is not supported');
    }
    if (this.#within === 'lookahead' && isBehind) {
      throw new NotCompiled('a lookbehind within a lookahead is not supported');
    }
    const builder = new Builder(this.#charSets, this.#sets, this.#budget, assertion.kind);
    const body = builder.build(assertion.alternatives, flags);
    return this.#program.looks.push({ body, isBehind, isNegative: assertion.negate }) - 1;
  }
}
