import { type AST, RegExpParser } from '@eslint-community/regexpp';

/** What follows a match that ends at a position: whether the rest matches too. */
type Then = (at: number) => boolean;

/**
 * A backtracking matcher as the specification describes it, for patterns without back references and flags, that counts its
 * steps. An engine is faster by a factor, and in some cases by its own shortcuts.
 */
export class Backtracker {
  readonly #alternatives: readonly AST.Alternative[];
  #text = '';
  steps = 0;

  constructor(source: string) {
    const pattern = new RegExpParser().parsePattern(source, 0, source.length, { unicode: true });
    this.#alternatives = pattern.alternatives;
  }

  /** @throws RangeError past a bound of steps */
  test(text: string, stepsMax: number): boolean {
    this.#text = text;
    this.steps = 0;
    this.#stepsMax = stepsMax;
    for (let at = 0; at <= text.length; at += 1) {
      if (this.#any(this.#alternatives, at, () => true)) return true;
    }
    return false;
  }
  #stepsMax = 0;

  #any(alternatives: readonly AST.Alternative[], at: number, then: Then): boolean {
    return alternatives.some(({ elements }) => this.#all(elements, 0, at, then));
  }

  #all(elements: readonly AST.Element[], index: number, at: number, then: Then): boolean {
    if (index === elements.length) return then(at);
    return this.#one(elements[index], at, (end) => this.#all(elements, index + 1, end, then));
  }

  #one(element: AST.Element, at: number, then: Then): boolean {
    this.steps += 1;
    if (this.steps > this.#stepsMax) throw new RangeError('too many steps');
    switch (element.type) {
      case 'Group':
      case 'CapturingGroup':
        return this.#any(element.alternatives, at, then);
      case 'Quantifier':
        return this.#repeat(element, 0, at, then);
      case 'Assertion':
        return this.#holds(element, at) && then(at);
      default:
        return at < this.#text.length && this.#matches(element.raw, at) && then(at + 1);
    }
  }

  #repeat(quantifier: AST.Quantifier, count: number, at: number, then: Then): boolean {
    const { min, max, greedy, element } = quantifier;
    const more = () =>
      count < max &&
      this.#one(element, at, (end) =>
        end === at && count >= min ? false : this.#repeat(quantifier, count + 1, end, then),
      );
    if (count < min) return more();
    return greedy ? more() || then(at) : then(at) || more();
  }

  #holds(assertion: AST.Assertion, at: number): boolean {
    if (assertion.kind === 'start') return at === 0;
    if (assertion.kind === 'end') return at === this.#text.length;
    if (assertion.kind === 'lookahead') {
      return this.#any(assertion.alternatives, at, () => true) !== assertion.negate;
    }
    throw new Error(`${assertion.raw} is not supported here`);
  }

  readonly #regExps = new Map<string, RegExp>();
  #matches(raw: string, at: number): boolean {
    let regExp = this.#regExps.get(raw);
    if (regExp === undefined) {
      regExp = new RegExp(`^(?:${raw})$`, 'u');
      this.#regExps.set(raw, regExp);
    }
    return regExp.test(this.#text[at]);
  }
}
