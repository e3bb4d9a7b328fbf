import { blocksIn, Cells, createCells } from '../memory/cells.js';
import { STATUSES, type Status } from '../model/answers.js';
import type { JournalName } from '../model/journal.js';
import { CELLS_PER_THREAD, COUNTER, GAUGE, HISTOGRAM, histogramCells } from './layout.js';

export { COUNTER, GAUGE, HISTOGRAM };

/** The block of each thread in the counts: the first of those of the intake. */
export const BLOCK = { main: 0, drain: 1, intake: 2 } as const;

/** Shared memory for the counts of `threads` threads, all 0. */
export function createCounts(threads: number): SharedArrayBuffer {
  return createCells(threads, CELLS_PER_THREAD);
}

/**
 * The counts of one thread; no other thread writes them. A thread that replaces a dead one continues its counts. Nothing
 * here allocates, locks or throws.
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

  /** @param cell one of GAUGE or COUNTER. @returns this thread's value */
  get(cell: number): number {
    return this.#cells.read(cell);
  }

  /**
   * @param histogram one of HISTOGRAM
   * @param value in the histogram's unit; NaN and negative values (the clock was set back) count as 0
   * @param weight number of observations of this value, for example the orders of a frame
   */
  observe(histogram: number, value: number, weight = 1): void {
    const { bounds, firstCell, sumCell } = histogramCells[histogram];
    if (!(value > 0)) value = 0;
    let bucket = 0;
    while (bucket < bounds.length && value > bounds[bucket]) bucket++;
    this.#cells.add(firstCell + bucket, weight);
    this.#cells.add(sumCell, value * weight);
  }

  /** Called when a thread starts: the gauges of the dead thread before it are out of date. */
  clearGauges(): void {
    for (const gauge of Object.values(GAUGE)) this.#cells.write(gauge, 0);
  }
}

/** Names with a label of their own in the metrics: 1 to so many. Label 0 is for all others. */
export const KEY_LABELS_MAX = 100;
/** What became of the requests of a key: `forebay_key_responses_total`. */
const KEY_OUTCOMES = ['accepted', 'limited', 'refused'] as const;
const KEY_CELLS = (KEY_LABELS_MAX + 1) * KEY_OUTCOMES.length;

/** Answers by API key and outcome, of one thread; no other thread writes them. */
export class KeyCounts {
  readonly #cells: Cells;

  static memory(threads: number): SharedArrayBuffer {
    return createCells(threads, KEY_CELLS);
  }

  constructor(memory: SharedArrayBuffer, threadIndex: number) {
    this.#cells = new Cells(memory, threadIndex, KEY_CELLS);
  }

  /** @param label 0 to KEY_LABELS_MAX */
  add(label: number, status: Status): void {
    const outcome = status === 200 ? 0 : status === 429 ? 1 : 2;
    this.#cells.add(label * KEY_OUTCOMES.length + outcome, 1);
  }

  /** The sums over all threads. @param names by label */
  static totals(memory: SharedArrayBuffer, names: readonly string[]): KeyResponses[] {
    const blocks = Array.from(
      { length: blocksIn(memory, KEY_CELLS) },
      (_, i) => new Cells(memory, i, KEY_CELLS),
    );
    return names.flatMap((key, label) =>
      KEY_OUTCOMES.map((outcome, i) => {
        const cell = label * KEY_OUTCOMES.length + i;
        return { key, outcome, value: blocks.reduce((sum, block) => sum + block.read(cell), 0) };
      }),
    );
  }
}

export interface KeyResponses {
  readonly key: string;
  readonly outcome: (typeof KEY_OUTCOMES)[number];
  readonly value: number;
}

/** Reasons with a label of their own: the first so many that occur. */
const REASON_LABELS_MAX = 50;
const REASON_LABEL_CHARS_MAX = 100;
/** The label of all further reasons. */
const OTHER = 'other';

/** What became of an order whose attempt failed. In direct mode it is refused: its client gets an error. */
export type FailedAs = 'retry' | 'dead' | 'refused';

export interface ReasonCount {
  readonly outcome: FailedAs;
  readonly reason: string;
  readonly value: number;
}

/**
 * Failed attempts of orders by reason, for `forebay_failed_attempts_total`. A handler can make up any number of reasons, so
 * only the first get a label. Used in the drain thread only.
 */
export class ReasonCounts {
  readonly #reasons = new Set<string>();
  readonly #counts = new Map<string, { outcome: FailedAs; reason: string; value: number }>();

  add(outcome: FailedAs, kind: string): void {
    const reason = this.labelOf(kind);
    const key = `${outcome} ${reason}`;
    const count = this.#counts.get(key);
    if (count === undefined) this.#counts.set(key, { outcome, reason, value: 1 });
    else count.value++;
  }

  /** The label of a reason: the same for those that differ only in numbers and ids. */
  labelOf(kind: string): string {
    const label = withoutIds(kind).slice(0, REASON_LABEL_CHARS_MAX).toWellFormed();
    if (this.#reasons.has(label)) return label;
    if (this.#reasons.size === REASON_LABELS_MAX) return OTHER;
    this.#reasons.add(label);
    return label;
  }

  totals(): readonly ReasonCount[] {
    return [...this.#counts.values()];
  }
}

/** A word of eight characters or more with a digit is an id, and a number of four digits or more an amount: `HTTP 503` stays. */
function withoutIds(text: string): string {
  return text.replace(/(?=[\w-]*\d)[\w-]{8,}|\d{4,}/g, '#');
}

/** The sums of all threads' counts, read from their cells at each call. */
export class TotalCounts {
  readonly #blocks: readonly Cells[];

  /** @param memory made by `createCounts` */
  constructor(memory: SharedArrayBuffer) {
    const threads = blocksIn(memory, CELLS_PER_THREAD);
    this.#blocks = Array.from(
      { length: threads },
      (_, i) => new Cells(memory, i, CELLS_PER_THREAD),
    );
  }

  /** @param cell one of COUNTER or GAUGE */
  get(cell: number): number {
    let total = 0;
    for (const block of this.#blocks) total += block.read(cell);
    return total;
  }

  /** @param histogram one of HISTOGRAM. @returns observations by bucket, not cumulative */
  buckets(histogram: number): number[] {
    const { bounds, firstCell } = histogramCells[histogram];
    return Array.from({ length: bounds.length + 1 }, (_, i) => this.get(firstCell + i));
  }

  /** @param histogram one of HISTOGRAM. @returns the sum of all observed values */
  sum(histogram: number): number {
    return this.get(histogramCells[histogram].sumCell);
  }
}

const responseCounters: number[] = new Array(Math.max(...STATUSES) + 1).fill(-1);
for (const status of STATUSES) responseCounters[status] = COUNTER[`responses${status}`];

/** The counter of responses with this status. */
export function responseCounter(status: Status): number {
  return responseCounters[status];
}

/** The histogram of a journal's commit times. */
export function commitHistogram(journal: JournalName): number {
  return HISTOGRAM[`commitSeconds_${journal}`];
}
