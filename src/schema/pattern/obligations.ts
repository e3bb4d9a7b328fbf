import { Kind } from './alphabet.js';
import { type Automaton, DEAD, SINK } from './automaton.js';
import type { WorkBudget } from './budget.js';
import type { Look } from './program.js';

export interface CompiledLook extends Look {
  readonly automaton: Automaton;
}

/** A pair is written into a key and sorted: that takes about so many steps of the budget. */
const STEPS_OF_PAIR = 10;

/**
 * Sets of lookaheads that must still come true, each with the state of its automaton. Set 0 is empty: nothing is owed. -1 stands
 * for a set that cannot come true any more.
 */
export class Obligations {
  readonly #looks: readonly CompiledLook[];
  readonly #size: number;
  /** Of each set the pairs [look, state, look, state, …], in ascending order. */
  readonly #sets: (readonly (readonly [number, number])[])[] = [[]];
  readonly #ids = new Map<string, number>([['', 0]]);
  /** Results of `step`, by set and class. */
  readonly #steps = new Map<number, number>();

  readonly #budget: WorkBudget;

  /** @param size how many classes the alphabet has */
  constructor(looks: readonly CompiledLook[], size: number, budget: WorkBudget) {
    this.#looks = looks;
    this.#size = size;
    this.#budget = budget;
  }

  /** @param before the kind of the character before the lookahead */
  add(set: number, look: number, before: number): number {
    return this.#idOf([...this.#sets[set], [look, this.#looks[look].automaton.starts[before]]]);
  }

  /** The set after a character of a class. */
  step(set: number, at: number): number {
    if (set === 0) return 0;
    const key = set * this.#size + at;
    let then = this.#steps.get(key);
    if (then === undefined) {
      then = this.#idOf(
        this.#sets[set].map(([look, state]) => [
          look,
          this.#looks[look].automaton.next[state * this.#size + at],
        ]),
      );
      this.#steps.set(key, then);
    }
    return then;
  }

  holdAtEnd(set: number): boolean {
    return this.#sets[set].every(([look, state]) => {
      const { automaton, isNegative } = this.#looks[look];
      return ((automaton.accepts[state] >> Kind.EDGE) & 1) === (isNegative ? 0 : 1);
    });
  }

  #idOf(pairs: readonly (readonly [number, number])[]): number {
    const owed = new Map<string, readonly [number, number]>();
    this.#budget.spend(STEPS_OF_PAIR * pairs.length);
    for (const [look, state] of pairs) {
      const { isNegative } = this.#looks[look];
      if (state === (isNegative ? SINK : DEAD)) return -1;
      if (state !== (isNegative ? DEAD : SINK)) owed.set(`${look} ${state}`, [look, state]);
    }
    const key = [...owed.keys()].sort().join();
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.#sets.push([...owed.values()]) - 1;
      this.#ids.set(key, id);
    }
    return id;
  }
}
