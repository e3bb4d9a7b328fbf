/** Buckets of a histogram: the largest value of each, and how often it was seen. Ascending. */
export type Counts = readonly (readonly [number, number])[];

/**
 * The value that so large a share of all did not exceed. Those that are `missing` count as larger than any:
 * a request without an answer must not make the others look better.
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
