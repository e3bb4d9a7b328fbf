import { type Alphabet, Kind } from './alphabet.js';
import { type Automaton, DEAD, SINK } from './automaton.js';

/**
 * Takes the place of a RegExp whose pattern has an automaton: one step for each character, whatever the pattern. It is slower
 * than a RegExp with a harmless pattern.
 */
export class LinearMatcher {
  readonly #name: string;
  readonly #automaton: Automaton;
  readonly #size: number;
  readonly #isUnicode: boolean;
  readonly #ranges: readonly number[];
  /** The class of each ASCII character. */
  readonly #ascii: Uint8Array;

  /** @param name the pattern as a literal */
  constructor(name: string, automaton: Automaton, alphabet: Alphabet, isUnicode: boolean) {
    this.#name = name;
    this.#automaton = automaton;
    this.#size = alphabet.size;
    this.#ranges = alphabet.ranges;
    this.#isUnicode = isUnicode;
    this.#ascii = Uint8Array.from({ length: 128 }, (_, code) => this.#classOf(code));
  }

  test(text: string): boolean {
    const { next, accepts, starts } = this.#automaton;
    let state = starts[Kind.EDGE];
    for (let at = 0; at < text.length && state !== DEAD && state !== SINK; at += 1) {
      let code = text.charCodeAt(at);
      if (this.#isUnicode && code >= 0xd800 && code < 0xdc00) {
        code = text.codePointAt(at)!;
        if (code > 0xffff) at += 1;
      }
      const id = code < 128 ? this.#ascii[code] : this.#classOf(code);
      state = next[state * this.#size + id];
    }
    return accepts[state] !== 0;
  }

  toString(): string {
    return this.#name;
  }

  #classOf(codePoint: number): number {
    let low = 0;
    let high = this.#ranges.length / 3 - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ranges[3 * middle + 1] < codePoint) low = middle + 1;
      else high = middle;
    }
    return this.#ranges[3 * low + 2];
  }
}
