import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EXIT, OperatorFault } from '../../src/model/fault.js';
import { parseStoryOptions, storyHelp } from './options.js';
import { storyPage } from './page/page.js';
import { Workplace } from './processes.js';
import type { StoryRecord } from './record.js';
import { runStory, type Story } from './run.js';

export const help = storyHelp;

/** 128 and the number of the signal, as shells have it. */
const STOPPED = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * `forebay story`.
 *
 * @returns the exit code: whether both pictures show what they must
 * @throws OperatorFault an option is wrong, or it could not be measured
 */
export async function run(args: readonly string[]): Promise<number> {
  const options = parseStoryOptions(args);
  const folder = resolve(options.folder);
  // Before the minutes that it takes, not after them.
  await makeFolder(folder);
  const workplace = await Workplace.open();
  const stopped = stopSignal();
  const told = await Promise.race([
    runStory(options, args, workplace, process.stdout),
    stopped,
  ]).finally(() => workplace.close());
  // What the wave still had under way would keep the process alive.
  if (typeof told === 'number') process.exit(told);
  await write(folder, told);
  process.stdout.write(summaryText(told.record, folder));
  return told.record.ok ? EXIT.ok : EXIT.failed;
}

/** Resolves with the exit code when the process is told to stop. A second time ends it at once. */
function stopSignal(): Promise<number> {
  return new Promise((resolve) => {
    for (const [signal, code] of Object.entries(STOPPED)) {
      process.once(signal, () => {
        process.stdout.write(`\nstory: stopped by ${signal}, nothing is written\n`);
        resolve(code);
      });
    }
  });
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new OperatorFault(`story: --out ${folder}: ${(error as Error).message}`, EXIT.failed);
  }
}

async function write(folder: string, { record, answers }: Story): Promise<void> {
  await writeFile(
    join(folder, 'story.json'),
    `${JSON.stringify({ ...record, answers }, null, 1)}\n`,
  );
  await writeFile(join(folder, 'index.html'), storyPage(record));
}

function summaryText({ direct, queue }: StoryRecord, folder: string): string {
  const lines = [direct, queue].flatMap((act) => [
    `${act.mode}: offered ${act.offered}, 200 ${act.created}, 500 ${act.refused}, other ${act.other}`,
    ...act.verdicts.map(({ ok, text }) => `${ok ? 'ok  ' : 'FAIL'} ${text}`),
  ]);
  return `${lines.join('\n')}\n${pathToFileURL(join(folder, 'index.html')).href}\n`;
}
