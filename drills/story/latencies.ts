/** Latencies at given shares of the answers, in milliseconds. */
export interface Quantiles {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** How many answers lie between two neighbouring edges: one less than there are edges. */
export interface Histogram {
  readonly edgesMs: readonly number[];
  readonly counts: readonly number[];
}

/** Ten bars a factor of ten, from 0.1 ms to 10 s, what lies outside counted at the ends. */
const BARS_PER_DECADE = 10;
const DECADE_FIRST = -1;
const DECADE_LAST = 4;

export const edgesMs: readonly number[] = Array.from(
  { length: (DECADE_LAST - DECADE_FIRST) * BARS_PER_DECADE + 1 },
  (_, i) => 10 ** (DECADE_FIRST + i / BARS_PER_DECADE),
);

/** @returns null when there are none */
export function quantilesOf(latenciesMs: readonly number[]): Quantiles | null {
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1]!;
  if (sorted.length === 0) return null;
  return {
    count: sorted.length,
    p50: at(0.5),
    p90: at(0.9),
    p99: at(0.99),
    p999: at(0.999),
    max: at(1),
  };
}

export function histogramOf(latenciesMs: readonly number[]): Histogram {
  const counts = new Array<number>(edgesMs.length - 1).fill(0);
  for (const ms of latenciesMs) {
    const bar = Math.floor(
      (Math.log10(Math.max(ms, Number.MIN_VALUE)) - DECADE_FIRST) * BARS_PER_DECADE,
    );
    counts[Math.min(counts.length - 1, Math.max(0, bar))]!++;
  }
  return { edgesMs, counts };
}
