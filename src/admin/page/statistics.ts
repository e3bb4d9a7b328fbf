import type { LiveRow } from '../../model/live.js';

/** The histograms of a row. */
export type HistogramName = 'requestSeconds' | 'orderAgeSeconds' | 'frameOrders';

/**
 * A row's count as a rate. A row that came a little early is not scaled up: a limit of 50 in any second
 * would seem to be exceeded.
 */
export function perSecond(counted: number, { spanMs }: LiveRow): number {
  return (counted * 1000) / Math.max(1000, spanMs);
}

/** Observations by bucket, of all rows together. */
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
 * A quantile as Prometheus' histogram_quantile reads it from buckets: linear within the bucket, and
 * the greatest bound for what lies above all bounds.
 *
 * @returns null when nothing was observed
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

/** Orders in a frame on average; null for a second without frames. */
export function meanFrame(row: LiveRow): number | null {
  const frames = total(row.frameOrders);
  return frames === 0 ? null : row.framedOrders / frames;
}

/** Where the backlog is heading. */
export type Outlook =
  | { readonly kind: 'empty' }
  /** What waits is less than the work of a second: it is on its way. */
  | { readonly kind: 'flows' }
  | { readonly kind: 'shrinks'; readonly secondsLeft: number; readonly perSecond: number }
  | { readonly kind: 'grows'; readonly perSecond: number }
  | { readonly kind: 'stands' };

/** Over so many of the latest rows: shorter would follow every batch, longer would lag behind a wave. */
const TREND_ROWS = 10;
/** Orders a second that count as no change. */
const STANDS_BELOW = 0.5;

/** When the backlog is gone if it goes on as in the last seconds, arrivals included. */
export function outlook(rows: readonly LiveRow[]): Outlook {
  const last = rows.at(-1);
  if (last === undefined || last.pendingOrders === 0) return { kind: 'empty' };
  if (last.pendingOrders <= perSecond(last.done, last)) return { kind: 'flows' };
  const first = rows.at(-TREND_ROWS - 1) ?? rows[0];
  const seconds = (last.atMs - first.atMs) / 1000;
  const change = seconds > 0 ? (last.pendingOrders - first.pendingOrders) / seconds : 0;
  if (change > STANDS_BELOW) return { kind: 'grows', perSecond: change };
  if (change > -STANDS_BELOW) return { kind: 'stands' };
  return { kind: 'shrinks', secondsLeft: last.pendingOrders / -change, perSecond: -change };
}
