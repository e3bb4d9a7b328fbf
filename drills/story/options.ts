import { defaultWave } from '../../k6/lib/sine.js';
import { BODY_HELP, checkedPath, PATH, readBody } from '../body-file.js';
import { flagFault, flagLines, type NumberFlag, readFlags, type TextFlag } from '../flags.js';
import type { Wave } from '../wave/options.js';

const GENERATORS = ['auto', 'k6', 'built-in'] as const;
export type Generator = (typeof GENERATORS)[number];

export interface StoryOptions {
  readonly wave: Wave;
  /** Requests a second that direct mode admits; it answers 500 to what is above. */
  readonly rpsLimit: number;
  /** Orders a second that queue mode processes at most. */
  readonly drainRate: number;
  readonly generator: Generator;
  /** Of the server: its --schema and --path; an empty schema is the built-in order. */
  readonly schema: string;
  readonly path: string;
  /** The text of each body and the file it is from; both empty for the built-in order. */
  readonly body: string;
  readonly bodyFile: string;
  /** The folder for index.html and story.json. */
  readonly folder: string;
}

/** Half of the wave's peak. */
const RPS_LIMIT = 50;
/** The page draws every second, and a run is held in memory. */
const DURATION_S_MAX = 600;

const flags = {
  'period-s': {
    default: 40,
    min: 5,
    max: 300,
    isWhole: true,
    help: 'seconds from one peak to the next',
  },
  periods: { default: 2, min: 1, max: 20, isWhole: true, help: 'how many periods, in each mode' },
  'drain-rate': {
    default: RPS_LIMIT,
    min: 10,
    max: 1000,
    isWhole: true,
    help: 'orders a second in queue mode',
  },
  generator: {
    default: 'auto',
    choices: GENERATORS,
    help: 'k6, built-in, or auto: k6 if it is installed',
  },
  schema: { default: '', help: 'JSON Schema that the server gets' },
  path: { default: PATH, help: 'path that the server gets' },
  body: { default: '', help: BODY_HELP },
  out: { default: 'story', help: 'folder for index.html and story.json' },
} as const satisfies Record<string, NumberFlag | TextFlag>;

/** @throws OperatorFault one line that names the option and what it takes */
export function parseStoryOptions(
  args: readonly string[],
  warn: (line: string) => void,
): StoryOptions {
  const given = readFlags('story', flags, args, warn);
  const { 'period-s': periodS, periods, out } = given;
  if (out === '') throw flagFault('story', '--out: must be the name of a folder');
  if (periodS * periods > DURATION_S_MAX) {
    throw flagFault(
      'story',
      `a wave of ${periodS * periods} s: must be at most ${DURATION_S_MAX} s`,
    );
  }
  return {
    wave: { ...defaultWave, periodS, periods },
    rpsLimit: RPS_LIMIT,
    drainRate: given['drain-rate'],
    generator: given.generator as Generator,
    schema: given.schema,
    path: checkedPath('story', given.path),
    body: readBody('story', given.body),
    bodyFile: given.body,
    folder: out,
  };
}

/** What `forebay story --help` prints. */
export function storyHelp(): string {
  return `forebay story [options]: compare a wave without and with a queue, as a page

Starts a server twice, on free ports and with a temporary data folder, and sends
it a sine wave of 0 to 100 orders per second: first in direct mode, which
refuses what is above ${RPS_LIMIT} per second, then in queue mode. Writes index.html,
which needs no network, and story.json. Takes 3 minutes.

Options
${flagLines(flags).join('\n')}

Examples
  forebay story
  forebay story --period-s 10 --periods 1     half a minute
  forebay story --generator k6 --out shown
  forebay story --schema event.schema.json --body event.json

Exit codes
  0    every check passed
  1    a check failed, which the page names; or the run could not be measured
  2    an option is wrong
  130  stopped by Ctrl-C
`;
}
