/** A pattern that this compiler does not take, with the reason as a phrase for a message. */
export class NotCompiled extends Error {}

/**
 * Bounds the work for one pattern by counted steps, not by time: so the same pattern has the same verdict on every machine.
 * A step is one visit of a node, a range or a transition: about 10 to 30 ns.
 */
export class WorkBudget {
  #steps: number;
  readonly #max: number;

  constructor(stepsMax: number) {
    this.#steps = 0;
    this.#max = stepsMax;
  }

  get steps(): number {
    return this.#steps;
  }

  spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps > this.#max) {
      throw new NotCompiled(`compiling it takes more than ${this.#max.toLocaleString('en')} steps`);
    }
  }
}
