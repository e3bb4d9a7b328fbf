import { driveWave } from '../wave/drive.js';
import type { WaveOptions } from '../wave/options.js';
import type { Verdict } from '../wave/verdicts.js';

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

/** The open-model generator of `forebay wave`, in this process. */
export class BuiltInLoad implements Load {
  readonly name = 'the built-in generator';
  readonly latencyMeans = 'from the moment a request was due to its answer';

  commandLine({ mode, wave, limitRps, drainRps }: WaveOptions): string {
    const own =
      mode === 'direct' ? `--mode direct --limit ${limitRps}` : `--drain-rate ${drainRps}`;
    return `node dist/src/main.js wave ${own} --period ${wave.periodS} --periods ${wave.periods}`;
  }

  async drive(target: WaveOptions): Promise<LoadResult> {
    const answers: Answer[] = [];
    let startMs = 0;
    let begunMs = 0;
    const summary = await driveWave(target, {
      started: () => {
        startMs = Date.now();
        begunMs = performance.now();
      },
      offered: () => {},
      dropped: () => {},
      answered: ({ status }, latencyMs) => {
        answers.push([(performance.now() - begunMs) / 1000, status, latencyMs]);
      },
      answeredAll: () => {},
    });
    const { offered, dropped, verdicts } = summary;
    return { startMs, offered, dropped, answers, verdicts };
  }
}
