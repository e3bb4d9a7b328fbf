import { NotCompiled, WorkBudget } from './budget.js';
import { CharSets } from './char-sets.js';
import { type ChoiceGraph, choiceGraph } from './choice-graph.js';
import { intersects } from './code-points.js';

/** How the time of a backtracking engine can grow with the length of the text. */
export type Growth = 'linear' | 'polynomial' | 'exponential' | 'unknown';

/** About 50 ms. */
const STEPS_MAX = 2_000_000;

/**
 * How the time of `new RegExp(source, flags).test()` can grow, for patterns without a table. The criteria are those of
 * A. Weber and H. Seidl, "On the degree of ambiguity of finite automata" (1991): exponential, if there are two ways from a
 * character of the pattern back to it with the same text; polynomial, if a text leads from one character to itself, to another,
 * and from this to itself. The search for the place of a match counts: /a+b/ is polynomial, /^a+b/ is linear.
 *
 * It errs on the safe side: the text that makes a pattern slow must also fail to match in the end, which is not looked at; and
 * counts with a choice, such as {1,4}, are taken as unlimited. 'unknown' stands for patterns that are too large, or that use syntax of a newer
 * engine.
 */
export function backtrackingGrowth(source: string, flags = 'u'): Growth {
  const budget = new WorkBudget(STEPS_MAX);
  try {
    const product = new Product(choiceGraph(source, flags, new CharSets(), budget), budget);
    if (product.isExponential()) return 'exponential';
    return product.isPolynomial() ? 'polynomial' : 'linear';
  } catch (error) {
    // A RangeError is a stack overflow: the pattern is nested thousands of levels deep.
    if (error instanceof NotCompiled || error instanceof RangeError) return 'unknown';
    throw error;
  }
}

/** Several runs of the choice graph over the same text. */
class Product {
  readonly #graph: ChoiceGraph;
  readonly #budget: WorkBudget;
  readonly #size: number;
  /** By position: which positions it reaches with at least one character. */
  readonly #reaches: readonly ReadonlySet<number>[];
  readonly #common = new Map<number, boolean>();

  constructor(graph: ChoiceGraph, budget: WorkBudget) {
    this.#graph = graph;
    this.#budget = budget;
    this.#size = graph.sets.length;
    this.#reaches = graph.edges.map((_, from) =>
      this.#reach([from], (at) => [...graph.edges[at].keys()]),
    );
  }

  /** Everything that is reached in at least one step. */
  #reach(from: readonly number[], next: (at: number) => number[]): Set<number> {
    const reached = new Set<number>();
    const stack = [...from];
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      for (const then of next(at)) {
        this.#budget.spend(1);
        if (reached.has(then)) continue;
        reached.add(then);
        stack.push(then);
      }
    }
    return reached;
  }

  isExponential(): boolean {
    for (const [from, edges] of this.#graph.edges.entries()) {
      for (const [to, isMultiple] of edges) {
        if (isMultiple && (to === from || this.#reaches[to].has(from))) return true;
      }
    }
    return this.#loops().some((from) => this.#partsAndMeets(from));
  }

  /** Positions that lead back to themselves, each strongly connected component by its first. */
  #loops(): number[] {
    const firsts: number[] = [];
    for (let at = 0; at < this.#size; at += 1) {
      const isLoop = this.#reaches[at].has(at);
      if (isLoop && !firsts.some((first) => this.#isSameLoop(first, at))) firsts.push(at);
    }
    return firsts;
  }

  #isSameLoop(left: number, right: number): boolean {
    return left === right || (this.#reaches[left].has(right) && this.#reaches[right].has(left));
  }

  /** Whether two runs over the same text begin together, part, and meet again, within the loop of a position. */
  #partsAndMeets(first: number): boolean {
    const before = new Map<number, number[]>();
    const together: number[] = [];
    for (let at = 0; at < this.#size; at += 1) {
      if (this.#isSameLoop(first, at)) together.push(at * this.#size + at);
    }
    const parted = this.#reach(together, (pair) => {
      const followers = this.#pairsAfter(pair).filter(
        (then) =>
          this.#isSameLoop(first, Math.floor(then / this.#size)) &&
          this.#isSameLoop(first, then % this.#size),
      );
      for (const then of followers) before.set(then, [...(before.get(then) ?? []), pair]);
      return followers;
    });
    const meeting = this.#reach(together, (pair) => before.get(pair) ?? []);
    return [...parted].some(
      (pair) => Math.floor(pair / this.#size) !== pair % this.#size && meeting.has(pair),
    );
  }

  #pairsAfter(pair: number): number[] {
    const pairs: number[] = [];
    for (const left of this.#graph.edges[Math.floor(pair / this.#size)].keys()) {
      for (const right of this.#graph.edges[pair % this.#size].keys()) {
        this.#budget.spend(1);
        if (this.#haveCommon(left, right)) pairs.push(left * this.#size + right);
      }
    }
    return pairs;
  }

  isPolynomial(): boolean {
    const loops = this.#all().filter((at) => this.#reaches[at].has(at));
    return loops.some((from) =>
      loops.some(
        (to) =>
          this.#reaches[from].has(to) &&
          !this.#isSameLoop(from, to) &&
          this.#isHandedOver(from, to),
      ),
    );
  }

  #all(): number[] {
    return this.#graph.sets.map((_, at) => at);
  }

  /** Whether one text leads from `from` to itself, from `from` to `to`, and from `to` to itself. */
  #isHandedOver(from: number, to: number): boolean {
    const triple = (stays: number, moves: number, waits: number) =>
      (stays * this.#size + moves) * this.#size + waits;
    const reached = this.#reach([triple(from, from, to)], (at) => {
      const waits = at % this.#size;
      const moves = Math.floor(at / this.#size) % this.#size;
      const stays = Math.floor(at / this.#size / this.#size);
      const followers: number[] = [];
      for (const then of this.#pairsAfter(stays * this.#size + waits)) {
        const [left, right] = [Math.floor(then / this.#size), then % this.#size];
        if (!this.#isSameLoop(from, left) || !this.#isSameLoop(to, right)) continue;
        for (const middle of this.#graph.edges[moves].keys()) {
          this.#budget.spend(1);
          const isUseful = middle === to || this.#reaches[middle].has(to);
          if (isUseful && this.#haveCommon(left, middle) && this.#haveCommon(middle, right)) {
            followers.push(triple(left, middle, right));
          }
        }
      }
      return followers;
    });
    return reached.has(triple(from, to, to));
  }

  #haveCommon(left: number, right: number): boolean {
    const key = left * this.#size + right;
    let common = this.#common.get(key);
    if (common === undefined) {
      const { sets } = this.#graph;
      this.#budget.spend(1);
      common = intersects(sets[left], sets[right]);
      this.#common.set(key, common);
    }
    return common;
  }
}
