export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** @param values at least one */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const isOdd = sorted.length % 2 === 1;
  const median = isOdd ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, least: sorted[0]!, most: sorted.at(-1)! };
}

export function median(values: readonly number[]): number {
  return spread(values).median;
}

/** For tables: `0.70 to 0.90`. */
export function rangeText({ least, most }: Spread, digits = 2): string {
  return `${least.toFixed(digits)} to ${most.toFixed(digits)}`;
}
