import type { Mode } from '../../src/model/options.js';
import type { Judged } from '../wave/judge.js';
import type { Wave } from '../wave/options.js';
import type { Histogram, Quantiles, ServerFigures } from './figures.js';

/** One mode under the wave. */
export interface ModeRecord extends Judged {
  readonly mode: Mode;
  readonly serverCommand: string;
  readonly loadCommand: string;
  /** What an accepted order survives, as the server shows it. */
  readonly durability: string;
  /** As the clients counted. */
  readonly offered: number;
  readonly dropped: number;
  readonly created: number;
  readonly refused: number;
  readonly other: number;
  /** As the server counted. */
  readonly server: ServerFigures;
  readonly latencyMs: {
    readonly all: Quantiles | null;
    readonly created: Quantiles | null;
    readonly refused: Quantiles | null;
  };
  readonly histogram: { readonly created: Histogram; readonly refused: Histogram };
}

/** Where a story was measured. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  /** Of one minute, before the story began: what else was going on. */
  readonly loadAverage: number;
}

/** What story.json holds, besides the single answers; the page shows all of it. */
export interface StoryRecord {
  readonly forebay: string;
  /** ISO 8601. */
  readonly takenAt: string;
  readonly command: string;
  readonly generator: string;
  readonly latencyMeans: string;
  readonly machine: Machine;
  readonly wave: Wave;
  readonly rpsLimit: number;
  readonly drainRate: number;
  /** Whether every verdict of both modes is good. */
  readonly ok: boolean;
  readonly direct: ModeRecord;
  readonly queue: ModeRecord;
}
