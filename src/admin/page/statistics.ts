import type { LiveRow } from '../../model/live.js';

/** The histograms of a row. */
export type HistogramName =
  | 'requestSeconds'
  | 'commitSeconds'
  | 'handlerSeconds'
  | 'orderAgeSeconds'
  | 'frameOrders';

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
  | { readonly kind: 'empty' | 'paused' }
  /** The backlog is at most the work of one second. */
  | { readonly kind: 'flows' }
  /** By the schedule. */
  | { readonly kind: 'scheduled'; readonly secondsLeft: number; readonly goneAtMs: number }
  | ({ readonly kind: 'shrinks'; readonly secondsLeft: number } & Flow)
  | ({ readonly kind: 'grows' | 'steady' } & Flow);

/** Orders per second. */
interface Flow {
  readonly leaving: number;
  readonly accepted: number;
}

/** Number of rows for the trend: three seconds. */
export const TREND_ROWS = 3;
/** A smaller difference, in orders per second, is less than one order in the time looked at. */
const STEADY_BELOW = 0.3;

/**
 * When the backlog will be gone: the backlog, divided by what leaves it beyond what is accepted.
 *
 * @param isAlone whether no other process accepts or processes the orders of the journal
 * @param goneAtMs what the server says under its schedule, by its clock; null without one
 */
export function outlook(
  rows: readonly LiveRow[],
  isAlone: boolean,
  goneAtMs: number | null = null,
): Outlook {
  const last = rows.at(-1);
  if (last === undefined || last.pendingOrders === 0) return { kind: 'empty' };
  if (goneAtMs !== null) {
    return { kind: 'scheduled', goneAtMs, secondsLeft: Math.max(0, goneAtMs - last.atMs) / 1000 };
  }
  if (last.isPaused) return { kind: 'paused' };
  const flow = flowOf(rows, isAlone);
  const falls = flow.leaving - flow.accepted;
  if (last.pendingOrders <= flow.leaving) return { kind: 'flows' };
  if (falls < -STEADY_BELOW) return { kind: 'grows', ...flow };
  if (falls < STEADY_BELOW) return { kind: 'steady', ...flow };
  return { kind: 'shrinks', secondsLeft: last.pendingOrders / falls, ...flow };
}

/** Where other processes work too, the backlog itself tells what left it. */
function flowOf(rows: readonly LiveRow[], isAlone: boolean): Flow {
  if (isAlone) {
    const recent = rows.slice(-TREND_ROWS);
    return {
      leaving: meanPerSecond(recent, ({ done, failed }) => done + failed),
      accepted: meanPerSecond(recent, (row) => row.accepted),
    };
  }
  const [before, ...recent] = rows.slice(-TREND_ROWS - 1);
  const accepted = meanPerSecond(recent, (row) => row.accepted);
  const seconds = (rows[rows.length - 1].atMs - before.atMs) / 1000;
  const fell = before.pendingOrders - rows[rows.length - 1].pendingOrders;
  return { leaving: Math.max(0, accepted + (seconds > 0 ? fell / seconds : 0)), accepted };
}

/** The mean rate over several rows, by the time that they span. */
export function meanPerSecond(rows: readonly LiveRow[], counted: (row: LiveRow) => number): number {
  const spanMs = total(rows.map((row) => row.spanMs));
  const least = 1000 * rows.length;
  return rows.length === 0 ? 0 : (total(rows.map(counted)) * 1000) / Math.max(least, spanMs);
}
