import { Cells, createCells } from '../memory/cells.js';
import { STATUSES, type Status } from '../model/answers.js';
import type { JournalName } from '../model/journal.js';
import { CELLS_PER_THREAD, COUNTER, GAUGE, HISTOGRAM, histogramCells } from './layout.js';

export { COUNTER, GAUGE, HISTOGRAM };

/** Shared memory for the counts of so many threads, all at 0. By custom thread 0 is the main thread. */
export function createCounts(threads: number): SharedArrayBuffer {
  return createCells(threads, CELLS_PER_THREAD);
}

/**
 * The counts of one thread; nobody else writes to them. A thread that takes a dead one's place goes
 * on with its counts. Nothing here allocates, locks or throws.
 */
export class ThreadCounts {
  readonly #cells: Cells;

  constructor(memory: SharedArrayBuffer, threadIndex: number) {
    this.#cells = new Cells(memory, threadIndex, CELLS_PER_THREAD);
  }

  /** @param counter one of COUNTER */
  add(counter: number, n = 1): void {
    this.#cells.add(counter, n);
  }

  /** @param gauge one of GAUGE */
  set(gauge: number, value: number): void {
    this.#cells.write(gauge, value);
  }

  /** @param gauge one of GAUGE; a counter of this thread does too */
  get(gauge: number): number {
    return this.#cells.read(gauge);
  }

  /**
   * @param histogram one of HISTOGRAM
   * @param value in the histogram's unit; what is negative (a clock was set back) or NaN counts as 0
   * @param weight how many observations of this value, a frame's orders say
   */
  observe(histogram: number, value: number, weight = 1): void {
    const { bounds, firstCell, sumCell } = histogramCells[histogram];
    if (!(value > 0)) value = 0;
    let bucket = 0;
    while (bucket < bounds.length && value > bounds[bucket]) bucket++;
    this.#cells.add(firstCell + bucket, weight);
    this.#cells.add(sumCell, value * weight);
  }

  /** For a thread that starts: what a dead one left in its gauges no longer holds. */
  clearGauges(): void {
    for (const gauge of Object.values(GAUGE)) this.#cells.write(gauge, 0);
  }
}

const responseCounters: number[] = new Array(Math.max(...STATUSES) + 1).fill(-1);
for (const status of STATUSES) responseCounters[status] = COUNTER[`responses${status}`];

/** The counter of answers with this status. */
export function responseCounter(status: Status): number {
  return responseCounters[status];
}

/** The histogram of a journal's commit times. */
export function commitHistogram(journal: JournalName): number {
  return HISTOGRAM[`commitSeconds_${journal}`];
}
