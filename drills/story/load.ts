import { PATH } from '../body-file.js';
import { type Driven, driveWave } from '../wave/drive.js';
import type { Verdict } from '../wave/judge.js';
import type { WaveOptions } from '../wave/options.js';

export interface Drive {
  readonly driven: Driven;
  /** What only the generator can judge. */
  readonly verdicts: readonly Verdict[];
}

/** Drives the wave at a server. */
export interface LoadGenerator {
  /** For people: what it is, with its version. */
  readonly name: string;
  /** What latency is, in this generator's figures. */
  readonly latencyMeans: string;
  /** How a person would do the same by hand, against a server on the default ports. */
  commandLine(target: WaveOptions): string;
  /**
   * Drives the wave at a server. Returns when the last answer has arrived, or later.
   *
   * @throws OperatorFault the run could not be measured
   */
  drive(target: WaveOptions): Promise<Drive>;
}

/** The open-model generator of `forebay wave`, in this process. */
export const builtInGenerator: LoadGenerator = {
  name: 'the built-in generator',
  latencyMeans: 'from the moment a request was due to its answer',

  commandLine({ mode, wave, rpsLimit, drainRate, path, bodyFile }) {
    const own =
      mode === 'direct' ? `--mode direct --rps-limit ${rpsLimit}` : `--drain-rate ${drainRate}`;
    const what = [
      path === PATH ? '' : ` --path ${path}`,
      bodyFile === '' ? '' : ` --body ${bodyFile}`,
    ].join('');
    return `node dist/src/main.js wave ${own}${what} --period-s ${wave.periodS} --periods ${wave.periods}`;
  },

  async drive(target) {
    return { driven: await driveWave(target), verdicts: [] };
  },
};
