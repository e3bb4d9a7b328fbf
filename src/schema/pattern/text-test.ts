import type { Alphabet } from './alphabet.js';
import { type Automaton, DEAD, SINK } from './automaton.js';

/**
 * Whether a pattern finds a match in a text, as RegExp.prototype.test says, in one step for each character. Null if the
 * text has a character that the automaton does not know: a lone surrogate, or one of the planes without characters.
 */
export type TextTest = (text: string) => boolean | null;

const ASCII = 0x80;

export function makeTextTest(automaton: Automaton, alphabet: Alphabet, start: number): TextTest {
  const { size, ranges } = alphabet;
  const { next, accepts } = automaton;
  const ascii = Array.from({ length: ASCII }, (_, code) => classOf(ranges, code));
  return (text) => {
    let state = start;
    for (const character of text) {
      const code = character.codePointAt(0)!;
      const one = code < ASCII ? ascii[code] : classOf(ranges, code);
      if (one === UNKNOWN) return null;
      state = next[state * size + one];
      if (state === SINK) return true;
      if (state === DEAD) return false;
    }
    return accepts[state] !== 0;
  };
}

const UNKNOWN = -1;

/** By binary search in [first, last, class, …]. */
function classOf(ranges: readonly number[], code: number): number {
  let low = 0;
  let high = ranges.length / 3 - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (code < ranges[3 * middle]) high = middle - 1;
    else if (code > ranges[3 * middle + 1]) low = middle + 1;
    else return ranges[3 * middle + 2];
  }
  return UNKNOWN;
}
