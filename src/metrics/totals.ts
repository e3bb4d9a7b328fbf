import { blocksIn, Cells } from '../memory/cells.js';
import { CELLS_PER_THREAD, histogramCells } from './layout.js';

/** What all threads have counted together, read from their cells at each call. */
export class Totals {
  readonly #blocks: readonly Cells[];

  /** @param counts memory made by `createCounts` */
  constructor(counts: SharedArrayBuffer) {
    const threads = blocksIn(counts, CELLS_PER_THREAD);
    this.#blocks = Array.from(
      { length: threads },
      (_, i) => new Cells(counts, i, CELLS_PER_THREAD),
    );
  }

  /** @param cell one of COUNTER or GAUGE */
  of(cell: number): number {
    let total = 0;
    for (const block of this.#blocks) total += block.read(cell);
    return total;
  }

  /** @param histogram one of HISTOGRAM. @returns observations by bucket, not cumulative */
  buckets(histogram: number): number[] {
    const { bounds, firstCell } = histogramCells[histogram];
    return Array.from({ length: bounds.length + 1 }, (_, i) => this.of(firstCell + i));
  }

  /** @param histogram one of HISTOGRAM. @returns all observed values, added up */
  sum(histogram: number): number {
    return this.of(histogramCells[histogram].sumCell);
  }
}
