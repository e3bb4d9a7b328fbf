import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import type { Mode } from '../../src/model/options.js';
import type { Verdict } from '../wave/verdicts.js';
import type { Answer } from './load.js';
import type { StoryOptions } from './options.js';

/** One mode, driven through the wave. */
export interface ActRecord {
  readonly mode: Mode;
  readonly serverCommand: string;
  readonly loadCommand: string;
  /** What an accepted order survives, as the server shows it. */
  readonly durability: string;
  /** As the clients saw it. */
  readonly offered: number;
  readonly dropped: number;
  readonly created: number;
  readonly refused: number;
  readonly other: number;
  /** As the server counted it. */
  readonly served: ServedFigures;
  readonly latencyMs: {
    readonly all: Quantiles | null;
    readonly created: Quantiles | null;
    readonly refused: Quantiles | null;
  };
  readonly histogram: { readonly created: Histogram; readonly refused: Histogram };
  readonly steps: readonly Step[];
  readonly verdicts: readonly Verdict[];
}

/** What the server counted between two looks, about a second apart. Rates are per second. */
export interface Step {
  /** Seconds since the wave began. */
  readonly fromS: number;
  readonly toS: number;
  /** What the sine says for its middle; 0 once the wave is over. */
  readonly dueRps: number;
  readonly createdRps: number;
  readonly refusedRps: number;
  /** Answers of any other status. */
  readonly otherRps: number;
  readonly doneRps: number;
  readonly errorRps: number;
  /** At the end of the step. */
  readonly pendingOrders: number;
  readonly oldestAgeS: number;
}

/** Means are null where nothing was observed. */
export interface ServedFigures {
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
  /** Seconds from the end of the wave until nothing waited; 0 when nothing did. */
  readonly drainedAfterS: number;
  readonly orderAgeSMean: number | null;
  readonly commitMsMean: number | null;
  readonly frameOrdersMean: number | null;
  readonly handlerMsMean: number | null;
  readonly lagMsMax: number;
  readonly residentMbMax: number;
  /** Of one core, over the whole act. */
  readonly cpuShare: number;
}

/** What story.json holds; the page shows it without the single answers. */
export interface StoryRecord {
  readonly forebay: string;
  /** ISO 8601. */
  readonly takenAt: string;
  readonly command: string;
  readonly generator: string;
  readonly latencyMeans: string;
  readonly machine: Machine;
  readonly wave: StoryOptions['wave'];
  readonly limitRps: number;
  readonly drainRps: number;
  /** Whether every verdict of both modes is good. */
  readonly ok: boolean;
  readonly direct: ActRecord;
  readonly queue: ActRecord;
}

/** In story.json besides the record: every answer of both modes. */
export interface StoryAnswers {
  readonly direct: readonly Answer[];
  readonly queue: readonly Answer[];
}

/** Latencies at given shares of the answers, in milliseconds. */
export interface Quantiles {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** How many answers lie between two neighbouring edges: one less than there are edges. */
export interface Histogram {
  readonly edgesMs: readonly number[];
  readonly counts: readonly number[];
}

/** Ten bars a factor of ten, from 0.1 ms to 10 s, what lies outside counted at the ends. */
const BARS_PER_DECADE = 10;
const DECADE_FIRST = -1;
const DECADE_LAST = 4;

export const edgesMs: readonly number[] = Array.from(
  { length: (DECADE_LAST - DECADE_FIRST) * BARS_PER_DECADE + 1 },
  (_, i) => 10 ** (DECADE_FIRST + i / BARS_PER_DECADE),
);

/** @returns null when there are none */
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

/** Where it was measured: figures mean little without it. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  /** Of one minute, before the story began: what else was going on. */
  readonly loadAverage: number;
}

const BYTES_PER_GB = 1024 ** 3;

export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() || 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round((totalmem() / BYTES_PER_GB) * 10) / 10,
    system: `${type()} ${release()}`,
    node: process.versions.node,
    loadAverage: Math.round(loadavg()[0]! * 100) / 100,
  };
}
