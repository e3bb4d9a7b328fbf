/** A histogram: the largest value of each bucket and its count, ascending. */
export type Counts = readonly (readonly [number, number])[];

/**
 * The value that `share` of all do not exceed.
 *
 * @param missing requests without an answer. They count as slower than any, so that they do not improve the result
 */
export function quantile(counts: Counts, share: number, missing = 0): number {
  const total = counts.reduce((sum, [, count]) => sum + count, missing);
  if (total === 0) return Number.NaN;
  const rank = Math.max(1, Math.ceil(share * total));
  let seen = 0;
  for (const [value, count] of counts) {
    seen += count;
    if (seen >= rank) return value;
  }
  return Number.POSITIVE_INFINITY;
}

export function merged(all: readonly Counts[]): Counts {
  const sums = new Map<number, number>();
  for (const [value, count] of all.flat()) sums.set(value, (sums.get(value) ?? 0) + count);
  return [...sums].sort(([a], [b]) => a - b);
}
