import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EXIT } from '../../src/model/fault.js';
import { EXIT_BY_SIGNAL, type StopSignals } from '../../src/model/stop-signals.js';
import { makeFolder } from '../make-folder.js';
import { Workspace } from '../processes.js';
import { verdictLine } from '../wave/judge.js';
import { parseStoryOptions, storyHelp } from './options.js';
import { storyPage } from './page/page.js';
import type { StoryRecord } from './record.js';
import { runStory, type Story } from './run.js';

export const help = storyHelp;

/**
 * `forebay story`.
 *
 * @returns the exit code: whether every check passed
 * @throws OperatorFault an option is wrong, or the story could not be measured
 */
export async function run(args: readonly string[], signals: StopSignals): Promise<number> {
  const options = parseStoryOptions(args, (line) => process.stderr.write(`${line}\n`));
  const folder = resolve(options.folder);
  // Before the minutes that the story takes, not after them.
  makeFolder('story: --out', folder);
  const workspace = await Workspace.open('story');
  const stopped = stopSignal(signals);
  const result = await Promise.race([
    runStory(options, args, workspace, process.stdout),
    stopped,
  ]).finally(() => workspace.close());
  // Requests of the wave that are still under way would keep the process alive.
  if (typeof result === 'number') process.exit(result);
  await write(folder, result);
  process.stdout.write(summaryText(result.record, folder));
  return result.record.ok ? EXIT.ok : EXIT.failed;
}

/** Resolves with the exit code at the first signal. A second one ends the process at once. */
function stopSignal(signals: StopSignals): Promise<number> {
  return new Promise((resolve) => {
    signals.onStop((signal) => {
      signals.reset();
      process.stdout.write(`\nstory: stopped by ${signal}, nothing is written\n`);
      resolve(EXIT_BY_SIGNAL[signal]);
    });
  });
}

async function write(folder: string, { record, answers }: Story): Promise<void> {
  await writeFile(
    join(folder, 'story.json'),
    `${JSON.stringify({ ...record, answers }, null, 1)}\n`,
  );
  await writeFile(join(folder, 'index.html'), storyPage(record));
}

function summaryText({ direct, queue }: StoryRecord, folder: string): string {
  const lines = [direct, queue].flatMap((record) => [
    `${record.mode}: offered ${record.offered}, 200 ${record.created}, 500 ${record.refused}, other ${record.other}`,
    ...record.verdicts.map(verdictLine),
  ]);
  return `${lines.join('\n')}\n${pathToFileURL(join(folder, 'index.html')).href}\n`;
}
