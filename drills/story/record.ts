import type { Mode } from '../../src/model/options.js';
import type { Verdict } from '../wave/verdicts.js';
import type { Histogram, Quantiles } from './latencies.js';
import type { Answer } from './load.js';
import type { Machine } from './machine.js';
import type { Step } from './series.js';
import type { StoryOptions } from './story-options.js';

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
