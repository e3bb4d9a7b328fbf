import type { LiveRow } from '../../model/live.js';
import { perSecond } from './statistics.js';

/** If the server's clock was set back by more than this, the older rows are dropped. */
const SET_BACK_MS_MAX = 5000;

/** The rows that the page has received, oldest first. They survive a restart of the server. */
export class Rows {
  #rows: LiveRow[] = [];

  get all(): readonly LiveRow[] {
    return this.#rows;
  }

  /** Adds the rows that are new and drops those older than `historyS` seconds. */
  append(rows: readonly LiveRow[], historyS: number): void {
    const newest = rows.at(-1);
    if (newest === undefined) return;
    const lastMs = this.#rows.at(-1)?.atMs ?? 0;
    if (newest.atMs < lastMs - SET_BACK_MS_MAX) this.#rows = [...rows];
    else this.#rows.push(...rows.filter((row) => row.atMs > lastMs));
    const oldestMs = newest.atMs - historyS * 1000;
    const kept = this.#rows.findIndex((row) => row.atMs > oldestMs);
    if (kept > 0) this.#rows.splice(0, kept);
  }

  /** From the oldest row to the newest. */
  get historyS(): number {
    const [oldest] = this.#rows;
    if (oldest === undefined) return 0;
    return (this.#rows[this.#rows.length - 1].atMs - oldest.atMs + oldest.spanMs) / 1000;
  }

  /** The rows of the last `seconds`. */
  latest(seconds: number): readonly LiveRow[] {
    const newest = this.#rows.at(-1);
    if (newest === undefined) return [];
    const oldestMs = newest.atMs - seconds * 1000;
    return this.#rows.filter((row) => row.atMs > oldestMs);
  }
}

/** Epoch seconds, then one column per line; null is a gap. */
export type Columns = readonly [xs: readonly number[], ...ys: (readonly (number | null)[])[]];

/** A longer time without a row shows as a gap: the page was not connected, or the server was down. */
const GAP_MS_MIN = 3000;

type Reader = (row: LiveRow) => number | null;

/** One column per reader, with a gap where rows are missing, so that no line is drawn across it. */
export function columnsOf(rows: readonly LiveRow[], readers: readonly Reader[]): Columns {
  const xs: number[] = [];
  const ys: (number | null)[][] = readers.map(() => []);
  let beforeMs = rows[0]?.atMs ?? 0;
  for (const row of rows) {
    if (row.atMs - beforeMs > GAP_MS_MIN) {
      xs.push((beforeMs + row.atMs) / 2000);
      for (const column of ys) column.push(null);
    }
    xs.push(row.atMs / 1000);
    for (let i = 0; i < readers.length; i++) ys[i].push(readers[i](row));
    beforeMs = row.atMs;
  }
  return [xs, ...ys];
}

/**
 * Stacked rates for filled lines, the top layer first. A layer is null where it counts nothing, because its edge would be
 * visible below the next layer.
 *
 * @param layers counts of a row, the top layer first
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

/** Adds horizontal lines at these levels. */
export function withConstants([xs, ...ys]: Columns, levels: readonly number[]): Columns {
  return [xs, ...ys, ...levels.map((level) => xs.map(() => level))];
}
