import { type Automaton, SINK } from './automaton.js';
import { Op, type Program } from './program.js';

/**
 * Some versions of V8 also look for a match between the two surrogates of a character, against the specification: /\B/u finds
 * one in 'a😀a'. No character can be matched from there, in either direction, so this matters to patterns that match nothing.
 */
export function findsMatchesHalfway(): boolean {
  return /\B/u.test('a😀a');
}

/** Whether a program matches between two surrogates, of which neither is a word character or a line terminator. */
export function matchesHalfway(program: Program): boolean {
  const { ops, firsts, seconds } = program;
  const seen = new Set<number>();
  const stack = [program.start];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (ops[node] === Op.MATCH) return true;
    if (ops[node] === Op.SPLIT) stack.push(firsts[node], seconds[node]);
    if (ops[node] === Op.BOUNDARY && firsts[node] === 1) stack.push(seconds[node]);
    if (ops[node] === Op.LOOK) {
      const { body, isNegative } = program.looks[firsts[node]];
      if (matchesHalfway(body) !== isNegative) stack.push(seconds[node]);
    }
  }
  return false;
}

/** An automaton that accepts every text with a character of some classes, and else what the given one accepts. */
export function acceptOn(
  classes: readonly number[],
  automaton: Automaton,
  size: number,
): Automaton {
  const next = Array.from(automaton.next);
  for (let state = 0; state < automaton.stateCount; state += 1) {
    for (const at of classes) next[state * size + at] = SINK;
  }
  return { ...automaton, next };
}
