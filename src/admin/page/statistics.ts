import type { LiveRow } from '../../model/live.js';

/** The histograms of a row. */
export type HistogramName = 'requestSeconds' | 'orderAgeSeconds' | 'frameOrders';

/**
 * A row's count as a rate. A row that is a little shorter than a second is not scaled up: otherwise a limit of 50 per
 * second would seem to be exceeded.
 */
export function perSecond(counted: number, { spanMs }: LiveRow): number {
  return (counted * 1000) / Math.max(1000, spanMs);
}

/** Observations by bucket, summed over all rows. */
export function bucketsOf(rows: readonly LiveRow[], name: HistogramName): number[] {
  const sums: number[] = [];
  for (const row of rows) {
    for (let i = 0; i < row[name].length; i++) sums[i] = (sums[i] ?? 0) + row[name][i];
  }
  return sums;
}

export function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/**
 * A quantile, estimated like Prometheus' histogram_quantile: linear within the bucket, and the highest bound for values
 * above all bounds.
 *
 * @returns null without observations
 */
export function quantile(
  q: number,
  bounds: readonly number[],
  buckets: readonly number[],
): number | null {
  const rank = q * total(buckets);
  if (rank === 0) return null;
  let below = 0;
  for (let i = 0; i < bounds.length; i++) {
    const inBucket = buckets[i];
    if (below + inBucket >= rank) {
      const from = i === 0 ? 0 : bounds[i - 1];
      return from + (bounds[i] - from) * ((rank - below) / inBucket);
    }
    below += inBucket;
  }
  return bounds[bounds.length - 1];
}

/** Mean number of orders per frame; null for a second without frames. */
export function meanFrame(row: LiveRow): number | null {
  const frames = total(row.frameOrders);
  return frames === 0 ? null : row.framedOrders / frames;
}

/** The trend of the backlog. */
export type Outlook =
  | { readonly kind: 'empty' }
  /** The backlog is at most the work of one second. */
  | { readonly kind: 'flows' }
  | { readonly kind: 'shrinks'; readonly secondsLeft: number; readonly perSecond: number }
  | { readonly kind: 'grows'; readonly perSecond: number }
  | { readonly kind: 'steady' };

/** Number of rows for the trend. Fewer would follow every batch, more would lag behind a wave. */
const TREND_ROWS = 10;
/** A smaller change, in orders per second, counts as no change. */
const STEADY_BELOW = 0.5;

/** Extrapolates the backlog from the last seconds, including new orders. */
export function outlook(rows: readonly LiveRow[]): Outlook {
  const last = rows.at(-1);
  if (last === undefined || last.pendingOrders === 0) return { kind: 'empty' };
  if (last.pendingOrders <= perSecond(last.done, last)) return { kind: 'flows' };
  const first = rows.at(-TREND_ROWS - 1) ?? rows[0];
  const seconds = (last.atMs - first.atMs) / 1000;
  const change = seconds > 0 ? (last.pendingOrders - first.pendingOrders) / seconds : 0;
  if (change > STEADY_BELOW) return { kind: 'grows', perSecond: change };
  if (change > -STEADY_BELOW) return { kind: 'steady' };
  return { kind: 'shrinks', secondsLeft: last.pendingOrders / -change, perSecond: -change };
}
