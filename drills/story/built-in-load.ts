import { driveWave } from '../wave/drive-wave.js';
import type { WaveOptions } from '../wave/wave-options.js';
import type { Answer, Load, LoadResult } from './load.js';

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
