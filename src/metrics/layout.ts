import { type HistogramKey, histogramFamilies } from './histogram-names.js';
import {
  type CounterKey,
  counterFamilies,
  type GaugeKey,
  gaugeFamilies,
  THREAD_CELLS,
} from './names.js';

/**
 * The cell of each series within a thread's block: counters, then gauges, then histograms. It is the same in every
 * thread, because every thread computes it from the same catalogue.
 */

/** Cells of a histogram: one per bucket (not cumulative; the last bucket is above all bounds), then the sum. */
export interface HistogramCells {
  readonly bounds: readonly number[];
  readonly firstCell: number;
  readonly sumCell: number;
}

const counterKeys = counterFamilies.flatMap((family) => Object.keys(family.cells));
const gaugeKeys = [
  ...gaugeFamilies.flatMap((family) => Object.keys(family.cells)),
  ...THREAD_CELLS,
];

function numbered<Key extends string>(
  keys: readonly string[],
  first: number,
): Readonly<Record<Key, number>> {
  return Object.freeze(Object.fromEntries(keys.map((key, i) => [key, first + i]))) as Readonly<
    Record<Key, number>
  >;
}

/** The cell of each counter: `counts.add(COUNTER.ordersAccepted, 64)`. */
export const COUNTER = numbered<CounterKey>(counterKeys, 0);

/** The cell of each gauge: `counts.set(GAUGE.waitingOrders, n)`. */
export const GAUGE = numbered<GaugeKey>(gaugeKeys, counterKeys.length);

const histogramKeys = histogramFamilies.flatMap((family) => Object.keys(family.cells));

/** The number of each histogram: `counts.observe(HISTOGRAM.requestSeconds, 0.002)`. */
export const HISTOGRAM = numbered<HistogramKey>(histogramKeys, 0);

/** By histogram number. */
export const histogramCells: readonly HistogramCells[] = layHistograms();

function layHistograms(): HistogramCells[] {
  const laid: HistogramCells[] = [];
  let firstCell = counterKeys.length + gaugeKeys.length;
  for (const { bounds, cells } of histogramFamilies) {
    for (const _ of Object.keys(cells)) {
      const sumCell = firstCell + bounds.length + 1;
      laid.push({ bounds, firstCell, sumCell });
      firstCell = sumCell + 1;
    }
  }
  return laid;
}

export const CELLS_PER_THREAD = histogramCells.at(-1)!.sumCell + 1;
