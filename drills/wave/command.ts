import { EXIT } from '../../src/model/fault.js';
import { runWave } from './run-wave.js';
import { parseWaveOptions, waveHelp } from './wave-options.js';

export const help = waveHelp;

/**
 * `forebay wave`.
 *
 * @returns the exit code: whether the run showed what it must
 * @throws OperatorFault an option is wrong, or the server's metrics can't be read
 */
export async function run(args: readonly string[]): Promise<number> {
  const summary = await runWave(parseWaveOptions(args), process.stdout);
  return summary.ok ? EXIT.ok : EXIT.failed;
}
