import type { AST } from '@eslint-community/regexpp';
import { NotCompiled, type WorkBudget } from './budget.js';
import type { CharFlags, CharSets } from './char-sets.js';
import { type CodePoints, complement } from './code-points.js';
import { parseSource } from './program.js';

/**
 * Repetitions are copied up to these bounds; more, and more that can be left out, count as any number. Nested choices between a
 * few counts, such as (?:a{1,4}){1,4}, only take a constant factor, but that can be millions.
 */
const COPIES_MAX = 50;
const LEFT_OUT_MAX = 1;
/** Two ways from one character to another are as good as many. */
const WAYS_MAX = 2;
/** How often the search for ways passes a node: more than WAYS_MAX, because not each passage reaches everything. */
const VISITS_MAX = 2 * WAYS_MAX;

const Step = { CHAR: 0, SPLIT: 1, LOOP: 2, EDGE: 3, STOP: 4 } as const;

/**
 * The choices that a backtracking engine has: from each character of a pattern, in how many ways it can go on to the next.
 * Position 0 is the character that the search skips to begin one later.
 */
export interface ChoiceGraph {
  readonly sets: readonly CodePoints[];
  /** By position: the following positions, and whether there is more than one way to each. */
  readonly edges: readonly ReadonlyMap<number, boolean>[];
}

/**
 * Back references count as what their group can match; a lookaround as a branch that ends.
 * @throws NotCompiled for what the parser does not know
 */
export function choiceGraph(
  source: string,
  flags: string,
  charSets: CharSets,
  budget: WorkBudget,
): ChoiceGraph {
  const charFlags = {
    unicode: flags.includes('u'),
    ignoreCase: flags.includes('i'),
    dotAll: flags.includes('s'),
  };
  const builder = new Builder(charSets, charFlags, flags.includes('m'), budget);
  return builder.build(parseSource(source, charFlags.unicode));
}

class Builder {
  readonly #charSets: CharSets;
  readonly #flags: CharFlags;
  readonly #isMultiline: boolean;
  readonly #budget: WorkBudget;
  readonly #steps: number[] = [];
  readonly #firsts: number[] = [];
  readonly #seconds: number[] = [];
  readonly #sets: CodePoints[] = [];
  /** By position: the node of the character. */
  readonly #chars: number[] = [];

  constructor(charSets: CharSets, flags: CharFlags, isMultiline: boolean, budget: WorkBudget) {
    this.#charSets = charSets;
    this.#flags = flags;
    this.#isMultiline = isMultiline;
    this.#budget = budget;
  }

  build(pattern: AST.Pattern): ChoiceGraph {
    const skip = this.#char(complement([]), 0);
    const stop = this.#node(Step.STOP, 0, 0);
    const start = this.#alternatives(pattern.alternatives, stop);
    this.#seconds[skip] = this.#node(Step.SPLIT, skip, start);
    const edges = this.#chars.map((char) => new Ways(this, this.#budget).from(this.#seconds[char]));
    return { sets: this.#sets, edges };
  }

  /** Follows the choices of a node. No way from one character to the next passes ^ or $, unless they match at lines. */
  visit(node: number, ways: Ways): void {
    const step = this.#steps[node];
    if (step === Step.CHAR) ways.reach(this.#firsts[node]);
    else if (step === Step.SPLIT) {
      ways.follow(this.#firsts[node]);
      ways.follow(this.#seconds[node]);
    } else if (step === Step.LOOP) ways.loop(node, this.#firsts[node], this.#seconds[node]);
    else if (step === Step.EDGE && this.#isMultiline) ways.follow(this.#seconds[node]);
  }

  #node(step: number, first: number, second: number): number {
    this.#budget.spend(1);
    this.#firsts.push(first);
    this.#seconds.push(second);
    return this.#steps.push(step) - 1;
  }

  #char(set: CodePoints, next: number): number {
    const position = this.#sets.push(set) - 1;
    const node = this.#node(Step.CHAR, position, next);
    this.#chars.push(node);
    return node;
  }

  #alternatives(all: readonly AST.Alternative[], next: number): number {
    let start = -1;
    for (const { elements } of all.toReversed()) {
      let first = next;
      for (const element of elements.toReversed()) first = this.#element(element, first);
      start = start < 0 ? first : this.#node(Step.SPLIT, first, start);
    }
    return start;
  }

  #element(element: AST.Element, next: number): number {
    switch (element.type) {
      case 'Character':
      case 'CharacterSet':
      case 'CharacterClass':
        return this.#char(this.#charSets.of(element, this.#flags), next);
      case 'Group':
      case 'CapturingGroup':
        return this.#alternatives(element.alternatives, next);
      case 'Quantifier':
        return this.#repeat(element, next);
      case 'Assertion':
        return this.#assertion(element, next);
      case 'Backreference':
        return this.#backreference(element, next);
      default:
        throw new NotCompiled(`${element.raw} is not supported`);
    }
  }

  #backreference(element: AST.Backreference, next: number): number {
    const groups = [element.resolved].flat();
    let start = next;
    for (const group of groups) {
      const isWithin = group.start <= element.start && element.end <= group.end;
      if (isWithin) continue;
      start = this.#node(Step.SPLIT, this.#alternatives(group.alternatives, next), start);
    }
    return start;
  }

  #repeat({ element, min, max }: AST.Quantifier, next: number): number {
    const copies = Math.min(min, COPIES_MAX);
    if (max - min > LEFT_OUT_MAX || min > COPIES_MAX) {
      const loop = this.#node(Step.LOOP, 0, next);
      this.#firsts[loop] = this.#element(element, loop);
      next = loop;
    } else {
      const end = next;
      for (let count = min; count < max; count += 1) {
        next = this.#node(Step.SPLIT, this.#element(element, next), end);
      }
    }
    for (let count = 0; count < copies; count += 1) next = this.#element(element, next);
    return next;
  }

  #assertion(assertion: AST.Assertion, next: number): number {
    if (assertion.kind === 'word') return next;
    if (!('alternatives' in assertion)) return this.#node(Step.EDGE, 0, next);
    const stop = this.#node(Step.STOP, 0, 0);
    return this.#node(Step.SPLIT, this.#alternatives(assertion.alternatives, stop), next);
  }
}

/** The ways from the end of one character to the next ones. */
class Ways {
  readonly #builder: Builder;
  readonly #budget: WorkBudget;
  readonly #edges = new Map<number, boolean>();
  readonly #visits = new Map<number, number>();
  /** Loops that the way has entered and not left: to come back to one is an iteration without a character, which fails. */
  readonly #entered = new Set<number>();

  constructor(builder: Builder, budget: WorkBudget) {
    this.#builder = builder;
    this.#budget = budget;
  }

  from(node: number): ReadonlyMap<number, boolean> {
    this.follow(node);
    return this.#edges;
  }

  follow(node: number): void {
    this.#budget.spend(1);
    const visits = (this.#visits.get(node) ?? 0) + 1;
    this.#visits.set(node, visits);
    if (visits <= VISITS_MAX) this.#builder.visit(node, this);
  }

  reach(position: number): void {
    this.#edges.set(position, this.#edges.has(position));
  }

  loop(node: number, body: number, exit: number): void {
    if (this.#entered.has(node)) return;
    this.#entered.add(node);
    this.follow(body);
    this.#entered.delete(node);
    this.follow(exit);
  }
}
