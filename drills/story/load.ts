import type { Verdict } from '../wave/verdicts.js';
import type { WaveOptions } from '../wave/wave-options.js';

/** One order that was posted: seconds since the wave began at its answer, status, latency. */
export type Answer = readonly [atS: number, status: number, latencyMs: number];

export interface LoadResult {
  /** Epoch milliseconds of time 0 of the wave. */
  readonly startMs: number;
  readonly offered: number;
  /** Requests that were due and not sent: any of them voids the run. */
  readonly dropped: number;
  readonly answers: readonly Answer[];
  /** What the run had to show, and whether it did. */
  readonly verdicts: readonly Verdict[];
}

/** What drives the wave. */
export interface Load {
  /** For people: what it is, with its version. */
  readonly name: string;
  /** What latency is, in this load's figures. */
  readonly latencyMeans: string;
  /** How a person would do the same by hand, against a server on the default ports. */
  commandLine(target: WaveOptions): string;
  /**
   * Drives a server through the wave, and returns when what it accepted has been processed, or time
   * is up.
   *
   * @throws OperatorFault it could not be measured
   */
  drive(target: WaveOptions): Promise<LoadResult>;
}
