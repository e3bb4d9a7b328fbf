import { defaultWave } from '../../k6/lib/sine.js';
import { flagLines, GivenFlags } from '../flags.js';

const GENERATORS = ['auto', 'k6', 'built-in'] as const;
export type Generator = (typeof GENERATORS)[number];

export interface StoryOptions {
  readonly wave: {
    readonly minRps: number;
    readonly maxRps: number;
    readonly periodS: number;
    readonly periods: number;
  };
  /** What the shop behind bears: without a queue it refuses what is above. */
  readonly limitRps: number;
  /** With a queue in front, it is given at most so many orders a second. */
  readonly drainRps: number;
  readonly generator: Generator;
  /** The folder that index.html and story.json are written to. */
  readonly folder: string;
}

/** The limit of the assignment: half of the wave's peak. */
const LIMIT_RPS = 50;
/** The page draws every second, and a run is held in memory. */
const DURATION_S_MAX = 600;

const numbers = {
  'period-s': { fallback: 40, min: 5, max: 300, help: 'seconds from one peak to the next' },
  periods: { fallback: 2, min: 1, max: 20, help: 'how many of them, in each mode' },
  'drain-rate': { fallback: LIMIT_RPS, min: 10, max: 1000, help: 'orders a second, queue mode' },
} as const;

const texts = {
  generator: { fallback: 'auto', help: 'k6, built-in, or auto: k6 if there is one' },
  out: { fallback: 'story', help: 'folder for index.html and story.json' },
} as const;

/** @throws OperatorFault one line that names the option and what it takes */
export function parseStoryOptions(args: readonly string[]): StoryOptions {
  const given = new GivenFlags('story', args, numbers, texts);
  const generator = given.text('generator');
  if (!isGenerator(generator))
    throw given.fault(`--generator ${generator}: ${GENERATORS.join(', ')}`);
  const folder = given.text('out');
  if (folder === '') throw given.fault('--out: the name of a folder');
  const periodS = given.whole('period-s');
  const periods = given.whole('periods');
  if (periodS * periods > DURATION_S_MAX) {
    throw given.fault(`a wave of ${periodS * periods} s: at most ${DURATION_S_MAX} s in each mode`);
  }
  return {
    wave: { ...defaultWave, periodS, periods },
    limitRps: LIMIT_RPS,
    drainRps: given.whole('drain-rate'),
    generator,
    folder,
  };
}

/** What `forebay story --help` prints. */
export function storyHelp(): string {
  return `forebay story [options]: the same wave without and with a queue, measured, as one page

Starts a server of its own twice, on free ports and with a data folder that is removed afterwards,
and drives a sine of 0 to 100 orders a second at it: first in direct mode, which refuses what is
above ${LIMIT_RPS} a second, then in queue mode. Writes what was measured to index.html, which needs no
network, and story.json. Takes about 3 minutes.

Options
${flagLines({ ...numbers, ...texts }).join('\n')}

Examples
  forebay story
  forebay story --period-s 10 --periods 1     half a minute
  forebay story --generator k6 --out shown

Exit codes
  0    both pictures show what they must
  1    they do not, and the page says what; or it could not be measured
  2    an option is wrong
  130  stopped by Ctrl-C
`;
}

function isGenerator(text: string): text is Generator {
  return (GENERATORS as readonly string[]).includes(text);
}
