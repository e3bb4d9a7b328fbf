import { durationS } from '../../k6/lib/sine.js';
import type { Wave } from '../wave/options.js';
import type { Reading, Sum, Watched } from '../wave/server-watch.js';

/** What the server did between the first reading and the last. Means are null where nothing was observed. */
export interface ServerFigures {
  readonly created: number;
  readonly refused: number;
  readonly done: number;
  readonly error: number;
  readonly retries: number;
  readonly dead: number;
  readonly pendingOrdersMax: number;
  readonly pendingOrdersEnd: number;
  readonly oldestAgeSMax: number;
  readonly waitingOrdersMax: number;
  /** Seconds from the end of the wave until nothing was pending; 0 when nothing was. */
  readonly drainedAfterS: number;
  readonly orderAgeSMean: number | null;
  readonly commitMsMean: number | null;
  readonly frameOrdersMean: number | null;
  readonly handlerMsMean: number | null;
  readonly lagMsMax: number;
  readonly residentMbMax: number;
  /** Of one core, over the whole run. */
  readonly cpuShare: number;
}

/** Latencies in milliseconds, by nearest rank. */
export interface Quantiles {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** How many answers lie between two neighbouring edges: there is one more edge than counts. */
export interface Histogram {
  readonly edgesMs: readonly number[];
  readonly counts: readonly number[];
}

/** @param startMs epoch milliseconds of time 0 of the wave */
export function serverFigures(
  { readings, bootMs }: Watched,
  startMs: number,
  wave: Wave,
): ServerFigures {
  const [first, last] = [readings[0]!, readings.at(-1)!];
  const most = (of: (reading: Reading) => number) => Math.max(...readings.map(of));
  const gain = (of: (reading: Reading) => number) => of(last) - of(first);
  const mean = (of: (reading: Reading) => Sum, scale: number) => {
    const count = gain((reading) => of(reading).count);
    return count > 0 ? (gain((reading) => of(reading).sum) * scale) / count : null;
  };
  const lastPending = readings.findLastIndex(({ pendingOrders }) => pendingOrders > 0);
  const empty = lastPending === -1 ? undefined : readings[lastPending + 1];
  const emptyS = empty === undefined ? 0 : (bootMs + empty.uptimeS * 1000 - startMs) / 1000;
  return {
    created: gain(({ created }) => created),
    refused: gain(({ refused }) => refused),
    done: gain(({ done }) => done),
    error: gain(({ error }) => error),
    retries: gain(({ retries }) => retries),
    dead: gain(({ dead }) => dead),
    pendingOrdersMax: most(({ pendingOrders }) => pendingOrders),
    pendingOrdersEnd: last.pendingOrders,
    oldestAgeSMax: most(({ oldestAgeS }) => oldestAgeS),
    waitingOrdersMax: most(({ waitingOrders }) => waitingOrders),
    drainedAfterS: Math.max(0, emptyS - durationS(wave)),
    orderAgeSMean: mean(({ orderAge }) => orderAge, 1),
    commitMsMean: mean(({ commit }) => commit, 1000),
    frameOrdersMean: mean(({ frameOrders }) => frameOrders, 1),
    handlerMsMean: mean(({ handler }) => handler, 1000),
    lagMsMax: most(({ lagMs }) => lagMs),
    residentMbMax: most(({ residentMb }) => residentMb),
    cpuShare:
      gain(({ cpuS }) => cpuS) /
      Math.max(
        1e-3,
        gain(({ uptimeS }) => uptimeS),
      ),
  };
}

/** Ten bars for each factor of ten, from 0.1 ms to 10 s. What lies outside counts in the first or the last. */
const BARS_PER_DECADE = 10;
const DECADE_FIRST = -1;
const DECADE_LAST = 4;

export const edgesMs: readonly number[] = Array.from(
  { length: (DECADE_LAST - DECADE_FIRST) * BARS_PER_DECADE + 1 },
  (_, i) => 10 ** (DECADE_FIRST + i / BARS_PER_DECADE),
);

/** @returns null when there are no latencies */
export function quantilesOf(latenciesMs: readonly number[]): Quantiles | null {
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1]!;
  if (sorted.length === 0) return null;
  return {
    count: sorted.length,
    p50: at(0.5),
    p90: at(0.9),
    p99: at(0.99),
    p999: at(0.999),
    max: at(1),
  };
}

export function histogramOf(latenciesMs: readonly number[]): Histogram {
  const counts = new Array<number>(edgesMs.length - 1).fill(0);
  for (const ms of latenciesMs) {
    const bar = Math.floor(
      (Math.log10(Math.max(ms, Number.MIN_VALUE)) - DECADE_FIRST) * BARS_PER_DECADE,
    );
    counts[Math.min(counts.length - 1, Math.max(0, bar))]!++;
  }
  return { edgesMs, counts };
}
