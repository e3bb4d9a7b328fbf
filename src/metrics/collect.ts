import { type Metric, Registry } from 'prom-client';
import { type KeyResponses, type ReasonCount, TotalCounts } from './count.js';
import { type HistogramFamily, histogramFamilies } from './histogram-names.js';
import { COUNTER, GAUGE, HISTOGRAM, histogramCells } from './layout.js';
import {
  type CellFamily,
  counterFamilies,
  gaugeFamilies,
  keyFamily,
  type Labels,
  type LiveGauges,
  liveFamilies,
  reasonFamily,
} from './names.js';
import { processFamilies } from './process-names.js';
import type { NamedValue, ThreadLoad } from './thread-load.js';

export interface Collected {
  /** Memory made by `createCounts`. */
  readonly counts: SharedArrayBuffer;
  /** Read at each scrape, in the main thread. */
  readonly live: LiveGauges;
  /** The guarantee in force. */
  readonly durability: () => { readonly class: string; readonly replicas: number };
  /** The series of `keyFamily`. */
  readonly keyResponses: () => readonly KeyResponses[];
  /** The series of `reasonFamily`. */
  readonly failureReasons: () => readonly ReasonCount[];
  readonly threadLoad: ThreadLoad;
  readonly build: {
    readonly version: string;
    readonly node: string;
    readonly mode: string;
    readonly journal: string;
  };
}

/** Live gauges without labels. */
const LIVE_KEYS = [
  'rps',
  'pendingOrders',
  'oldestAgeSeconds',
  'deadLetters',
  'deadLettersMax',
  'diskFreeBytes',
  'diskSizeBytes',
  'journalBytes',
  'unreadableRows',
  'damagedFiles',
  'rpsLimit',
  'drainRate',
  'spoolOrdersMax',
  'ready',
  'journalReachable',
  'journalDegraded',
  'drainPaused',
  'backlogGoneAt',
  'windowEndsAt',
  'tlsNotAfter',
  'senderFilesRefused',
] as const satisfies readonly (keyof LiveGauges)[];

/** One line of the exposition; with a `metricName` if it differs from the family's name. */
interface Series {
  readonly metricName?: string;
  readonly labels: Labels;
  readonly value: number;
}

type Cell = Readonly<Record<string, number>>;

export type { Registry };

/** A prom-client registry of the whole catalogue. `registry.metrics()` sums the cells of all threads. */
export function createRegistry({
  counts,
  live,
  durability,
  keyResponses,
  failureReasons,
  threadLoad,
  build,
}: Collected): Registry {
  const registry = new Registry();
  const totals = new TotalCounts(counts);
  for (const family of counterFamilies) {
    register(registry, family, 'counter', () => cellSeries(totals, family, COUNTER));
  }
  register(registry, keyFamily, 'counter', () =>
    keyResponses().map(({ key, outcome, value }) => ({ labels: { key, outcome }, value })),
  );
  register(registry, reasonFamily, 'counter', () =>
    failureReasons().map(({ outcome, reason, value }) => ({ labels: { outcome, reason }, value })),
  );
  for (const family of gaugeFamilies) {
    register(registry, family, 'gauge', () => cellSeries(totals, family, GAUGE));
  }
  for (const family of histogramFamilies) {
    register(registry, family, 'histogram', () => histogramSeries(totals, family));
  }
  for (const key of LIVE_KEYS) {
    register(registry, liveFamilies[key], 'gauge', () => [{ labels: {}, value: live[key]() }]);
  }
  register(registry, liveFamilies.eventLoopLag, 'gauge', () =>
    threadSeries(threadLoad.eventLoopLags()),
  );
  register(registry, liveFamilies.threadCpu, 'gauge', () => threadSeries(threadLoad.cpuRatios()));
  register(registry, liveFamilies.durability, 'gauge', () => {
    const { class: durabilityClass, replicas } = durability();
    return [{ labels: { class: durabilityClass, replicas: String(replicas) }, value: 1 }];
  });
  register(registry, liveFamilies.buildInfo, 'gauge', () => [{ labels: { ...build }, value: 1 }]);
  registerProcess(registry);
  return registry;
}

/**
 * Instead of prom-client's collectDefaultMetrics, which adds a hook on every garbage collection and a second event loop
 * monitor, and cannot be configured to leave them out.
 */
const processReaders: Readonly<Record<keyof typeof processFamilies, () => number>> = {
  cpuSeconds: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  },
  residentBytes: () => process.memoryUsage.rss(),
  startSeconds: () => Math.round(performance.timeOrigin) / 1000,
  uptimeSeconds: () => performance.now() / 1000,
  heapTotalBytes: () => process.memoryUsage().heapTotal,
  heapUsedBytes: () => process.memoryUsage().heapUsed,
  externalBytes: () => process.memoryUsage().external,
};

function registerProcess(registry: Registry): void {
  for (const [key, family] of Object.entries(processFamilies)) {
    const read = processReaders[key as keyof typeof processFamilies];
    register(registry, family, family.type, () => [{ labels: {}, value: read() }]);
  }
}

/**
 * prom-client renders any object with these four members. Its own Counter, Gauge and Histogram would keep a second copy
 * of the values in shared memory. No value is NaN: a live gauge without a value shows 0.
 */
function register(
  registry: Registry,
  { name, help }: { readonly name: string; readonly help: string },
  type: 'counter' | 'gauge' | 'histogram',
  read: () => Series[],
): void {
  const get = () => ({ name, help, type, values: read().map(finite) });
  registry.registerMetric({ name, help, type, get } as unknown as Metric);
}

function finite(series: Series): Series {
  return Number.isFinite(series.value) ? series : { ...series, value: 0 };
}

function cellSeries(totals: TotalCounts, family: CellFamily, cell: Cell): Series[] {
  return Object.entries(family.cells).map(([key, labels]) => ({
    labels,
    value: totals.get(cell[key]),
  }));
}

/** Classic buckets: cumulative, with the label `le` last. The count equals the last bucket, so they always agree. */
function histogramSeries(totals: TotalCounts, family: HistogramFamily): Series[] {
  return Object.entries(family.cells).flatMap(([key, labels]) => {
    const histogram = (HISTOGRAM as Cell)[key];
    const counted = totals.buckets(histogram);
    let count = 0;
    const buckets = [...histogramCells[histogram].bounds, '+Inf'].map((bound, i) => {
      count += counted[i];
      return {
        metricName: `${family.name}_bucket`,
        labels: { ...labels, le: String(bound) },
        value: count,
      };
    });
    return [
      ...buckets,
      { metricName: `${family.name}_sum`, labels, value: totals.sum(histogram) },
      { metricName: `${family.name}_count`, labels, value: count },
    ];
  });
}

function threadSeries(values: readonly NamedValue[]): Series[] {
  return values.map(({ name, value }) => ({ labels: { thread: name }, value }));
}
