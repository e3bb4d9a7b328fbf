import type { LiveRow } from '../../model/live.js';
import { perSecond } from './figures.js';

/** Epoch seconds, then one column a line; null is a hole. */
export type Columns = readonly [xs: readonly number[], ...ys: (readonly (number | null)[])[]];

/** Seconds without a row that are a gap: the page was not connected, or the server not there. */
const GAP_MS_MIN = 3000;

type Read = (row: LiveRow) => number | null;

/** A column for each reading, with a hole where rows are missing, so that no line bridges it. */
export function columnsOf(rows: readonly LiveRow[], reads: readonly Read[]): Columns {
  const xs: number[] = [];
  const ys: (number | null)[][] = reads.map(() => []);
  let beforeMs = rows[0]?.atMs ?? 0;
  for (const row of rows) {
    if (row.atMs - beforeMs > GAP_MS_MIN) {
      xs.push((beforeMs + row.atMs) / 2000);
      for (const column of ys) column.push(null);
    }
    xs.push(row.atMs / 1000);
    for (let i = 0; i < reads.length; i++) ys[i].push(reads[i](row));
    beforeMs = row.atMs;
  }
  return [xs, ...ys];
}

/**
 * Rates on top of each other, the highest layer first, as filled lines want them. A layer is not there
 * where it counts nothing: its edge would show under the next one's.
 *
 * @param layers counts of a row, the highest layer first
 */
export function stackedColumns(
  rows: readonly LiveRow[],
  layers: readonly ((row: LiveRow) => number)[],
): Columns {
  const own = columnsOf(rows, layers);
  const heights = columnsOf(
    rows,
    layers.map((_, i) => (row: LiveRow) => {
      const counted = layers.slice(i).reduce((sum, layer) => sum + layer(row), 0);
      return perSecond(counted, row);
    }),
  );
  const [xs, ...columns] = heights;
  const isThere = (layer: number, at: number) => (own[layer + 1][at] ?? 0) > 0;
  const lowest = layers.length - 1;
  return [
    xs,
    ...columns.map((column, layer) =>
      column.map((height, at) =>
        layer === lowest || [at - 1, at, at + 1].some((near) => isThere(layer, near))
          ? height
          : null,
      ),
    ),
  ];
}

/** Level lines beside the columns. */
export function withConstants([xs, ...ys]: Columns, levels: readonly number[]): Columns {
  return [xs, ...ys, ...levels.map((level) => xs.map(() => level))];
}
