/**
 * A set of code points: inclusive ranges [first, last, first, last, …] in ascending order, neither overlapping nor adjacent.
 * So two equal sets are equal arrays.
 */
export type CodePoints = readonly number[];

export const CODE_POINT_MAX = 0x10ffff;
export const SURROGATE_FIRST = 0xd800;
export const SURROGATE_LAST = 0xdfff;
export const ASTRAL_FIRST = 0x10000;

/** @param ranges inclusive ranges in any order, overlapping or not */
export function unite(ranges: readonly (readonly [number, number])[]): CodePoints {
  const sorted = [...ranges].sort((left, right) => left[0] - right[0]);
  const set: number[] = [];
  for (const [first, last] of sorted) {
    const end = set.length - 1;
    if (end > 0 && first <= set[end] + 1) set[end] = Math.max(set[end], last);
    else set.push(first, last);
  }
  return set;
}

export function rangesOf(set: CodePoints): [number, number][] {
  const ranges: [number, number][] = [];
  for (let at = 0; at < set.length; at += 2) ranges.push([set[at], set[at + 1]]);
  return ranges;
}

/** Everything in 0 to U+10FFFF that is not in the set. */
export function complement(set: CodePoints): CodePoints {
  const rest: number[] = [];
  let next = 0;
  for (let at = 0; at < set.length; at += 2) {
    if (set[at] > next) rest.push(next, set[at] - 1);
    next = set[at + 1] + 1;
  }
  if (next <= CODE_POINT_MAX) rest.push(next, CODE_POINT_MAX);
  return rest;
}

export function intersects(left: CodePoints, right: CodePoints): boolean {
  let at = 0;
  let other = 0;
  while (at < left.length && other < right.length) {
    if (left[at + 1] < right[other]) at += 2;
    else if (right[other + 1] < left[at]) other += 2;
    else return true;
  }
  return false;
}
