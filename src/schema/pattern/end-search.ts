import type { CodePoints } from './code-points.js';
import { ASTRAL_FIRST } from './code-points.js';
import { Op, type Program } from './program.js';

/**
 * Some versions of V8 (14.6, in Node 26) begin the search for a pattern of bounded length with $ near the end of the text, and
 * count a character of two UTF-16 units as one: /[^a]$/u does not match '😀'. ajv has that verdict, so such patterns are left
 * to it.
 */
export function searchesWrongFromEnd(): boolean {
  return !/[^a]$/u.test('😀');
}

/** Whether the fault can matter: the program has $, no loop, no ^ before its first character, and takes astral characters. */
export function isSearchedFromEnd(program: Program, sets: readonly CodePoints[]): boolean {
  const hasAstral = sets.some((set) => set.length > 0 && set[set.length - 1] >= ASTRAL_FIRST);
  if (!hasAstral || !program.ops.includes(Op.END)) return false;
  return !hasLoop(program) && !isAnchored(program);
}

/** A program is built from its end: only a loop leads to a later node. */
function hasLoop({ ops, firsts }: Program): boolean {
  return ops.some((op, node) => op === Op.SPLIT && firsts[node] > node);
}

function isAnchored({ ops, firsts, seconds, start }: Program): boolean {
  const seen = new Set<number>();
  const stack = [start];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (seen.has(node) || ops[node] === Op.START) continue;
    seen.add(node);
    if (ops[node] === Op.CHAR || ops[node] === Op.MATCH) return false;
    if (ops[node] === Op.SPLIT) stack.push(firsts[node]);
    stack.push(seconds[node]);
  }
  return true;
}
