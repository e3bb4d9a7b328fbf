import { type KeyResponses, type ReasonCount, TotalCounts } from './count.js';
import { exposition, type Family, type Series } from './exposition.js';
import { type HistogramFamily, histogramFamilies } from './histogram-names.js';
import { COUNTER, GAUGE, HISTOGRAM, histogramCells } from './layout.js';
import {
  type CellFamily,
  counterFamilies,
  gaugeFamilies,
  keyFamily,
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

type Cell = Readonly<Record<string, number>>;

/** Returns the text of the whole catalogue at each call: it sums the cells of all threads. */
export function createExposition({
  counts,
  live,
  durability,
  keyResponses,
  failureReasons,
  threadLoad,
  build,
}: Collected): () => string {
  const families: Family[] = [];
  const totals = new TotalCounts(counts);
  for (const family of counterFamilies) {
    register(families, family, 'counter', () => cellSeries(totals, family, COUNTER));
  }
  register(families, keyFamily, 'counter', () =>
    keyResponses().map(({ key, outcome, value }) => ({ labels: { key, outcome }, value })),
  );
  register(families, reasonFamily, 'counter', () =>
    failureReasons().map(({ outcome, reason, value }) => ({ labels: { outcome, reason }, value })),
  );
  for (const family of gaugeFamilies) {
    register(families, family, 'gauge', () => cellSeries(totals, family, GAUGE));
  }
  for (const family of histogramFamilies) {
    register(families, family, 'histogram', () => histogramSeries(totals, family));
  }
  for (const key of LIVE_KEYS) {
    register(families, liveFamilies[key], 'gauge', () => [{ labels: {}, value: live[key]() }]);
  }
  register(families, liveFamilies.eventLoopLag, 'gauge', () =>
    threadSeries(threadLoad.eventLoopLags()),
  );
  register(families, liveFamilies.threadCpu, 'gauge', () => threadSeries(threadLoad.cpuRatios()));
  register(families, liveFamilies.durability, 'gauge', () => {
    const { class: durabilityClass, replicas } = durability();
    return [{ labels: { class: durabilityClass, replicas: String(replicas) }, value: 1 }];
  });
  register(families, liveFamilies.buildInfo, 'gauge', () => [{ labels: { ...build }, value: 1 }]);
  registerProcess(families);
  return () => exposition(families);
}

/**
 * As prom-client's collectDefaultMetrics names them, without its hook on every garbage collection and its second event
 * loop monitor.
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

function registerProcess(families: Family[]): void {
  for (const [key, family] of Object.entries(processFamilies)) {
    const read = processReaders[key as keyof typeof processFamilies];
    register(families, family, family.type, () => [{ labels: {}, value: read() }]);
  }
}

function register(
  families: Family[],
  { name, help }: Pick<Family, 'name' | 'help'>,
  type: Family['type'],
  read: Family['read'],
): void {
  families.push({ name, help, type, read });
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
