import { parseArgs } from 'node:util';
import { defaultWave } from '../../k6/lib/sine.js';
import { EXIT, OperatorFault } from '../contract/fault.js';

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

type Given = Readonly<Record<string, string | undefined>>;

/** @throws OperatorFault one line that names the option and what it takes */
export function parseStoryOptions(args: readonly string[]): StoryOptions {
  const given = readFlags(args);
  const generator = given.generator ?? texts.generator.fallback;
  if (!isGenerator(generator)) throw usage(`--generator ${generator}: ${GENERATORS.join(', ')}`);
  const folder = given.out ?? texts.out.fallback;
  if (folder === '') throw usage('--out: the name of a folder');
  const periodS = numberOf('period-s', given);
  const periods = numberOf('periods', given);
  if (periodS * periods > DURATION_S_MAX) {
    throw usage(`a wave of ${periodS * periods} s: at most ${DURATION_S_MAX} s in each mode`);
  }
  return {
    wave: { ...defaultWave, periodS, periods },
    limitRps: LIMIT_RPS,
    drainRps: numberOf('drain-rate', given),
    generator,
    folder,
  };
}

/** What `forebay story --help` prints. */
export function storyHelp(): string {
  const options = Object.entries({ ...numbers, ...texts }).map(
    ([name, { fallback, help }]) => `  ${`--${name}`.padEnd(14)} ${help} (default ${fallback})`,
  );
  return `forebay story [options]: the same wave without and with a queue, measured, as one page

Starts a server of its own twice, on free ports and with a data folder that is removed afterwards,
and drives a sine of 0 to 100 orders a second at it: first in direct mode, which refuses what is
above ${LIMIT_RPS} a second, then in queue mode. Writes what was measured to index.html, which needs no
network, and story.json. Takes about 3 minutes.

Options
${options.join('\n')}

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

function readFlags(args: readonly string[]): Given {
  const flags = Object.fromEntries(
    Object.keys({ ...texts, ...numbers }).map((name) => [name, { type: 'string' as const }]),
  );
  try {
    return parseArgs({ args: [...args], options: flags, strict: true }).values as Given;
  } catch (error) {
    const [what] = (error as Error).message.split(/\n|\. /);
    throw usage(`${what}; forebay story --help lists all`);
  }
}

function numberOf(name: keyof typeof numbers, given: Given): number {
  const { fallback, min, max } = numbers[name];
  const text = given[name];
  if (text === undefined) return fallback;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(Number.isInteger(value) && value >= min && value <= max)) {
    throw usage(`--${name} ${text}: a whole number, ${min} to ${max}`);
  }
  return value;
}

function isGenerator(text: string): text is Generator {
  return (GENERATORS as readonly string[]).includes(text);
}

function usage(message: string): OperatorFault {
  return new OperatorFault(`story: ${message}`, EXIT.usage);
}
