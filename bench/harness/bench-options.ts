import { parseArgs } from 'node:util';
import { EXIT, OperatorFault } from '../../src/model/fault.js';
import { BODY_NAMES, type Body, bodyHelp, bodyOf } from './bodies.js';

/** Where programs may run: the generator alone has a core of its own, or the servers are kept off it too. */
export const PINS = ['generator', 'apart', 'none'] as const;
export type Pin = (typeof PINS)[number];

export interface BenchOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpS: number;
  readonly connections: readonly number[];
  readonly bodies: readonly Body[];
  /** Parts of names; none: all. */
  readonly only: readonly string[];
  readonly pin: Pin;
  /** Under which the servers keep their data; null: the system's folder for temporary files. */
  readonly data: string | null;
  readonly json: string | null;
  readonly write: boolean;
  /** A report to read instead of a run. */
  readonly from: string | null;
}

interface NumberOption {
  readonly fallback: number;
  readonly quick: number;
  readonly max: number;
  readonly help: string;
}

const numbers = {
  rounds: { fallback: 5, quick: 1, max: 100, help: 'in each, every contestant has its turn' },
  seconds: { fallback: 4, quick: 1, max: 300, help: 'of load that count' },
  'warm-up': {
    fallback: 5,
    quick: 1,
    max: 60,
    help: 'seconds of load before; with fewer than 5, V8 still compiles in those that count',
  },
} as const satisfies Record<string, NumberOption>;

const CONNECTIONS = '256';
const CONNECTIONS_MAX = 10_000;

const flags = {
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  'warm-up': { type: 'string' },
  connections: { type: 'string', default: CONNECTIONS },
  body: { type: 'string', multiple: true },
  only: { type: 'string', multiple: true },
  pin: { type: 'string', default: 'generator' },
  data: { type: 'string' },
  json: { type: 'string' },
  write: { type: 'boolean', default: false },
  from: { type: 'string' },
  quick: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** @returns null where help is asked for @throws OperatorFault one line that names the option and what it takes */
export function parseBenchOptions(args: readonly string[]): BenchOptions | null {
  const values = read(args);
  if (values.help) return null;
  const numberOf = (name: keyof typeof numbers) => {
    const { fallback, quick, max } = numbers[name];
    const text = values[name];
    return text === undefined ? (values.quick ? quick : fallback) : whole(name, text, max);
  };
  const pin = PINS.find((name) => name === values.pin);
  if (pin === undefined) throw usage(`--pin ${values.pin}: ${PINS.join(', ')}`);
  return {
    rounds: numberOf('rounds'),
    seconds: numberOf('seconds'),
    warmUpS: numberOf('warm-up'),
    connections: values.connections
      .split(',')
      .map((text) => whole('connections', text, CONNECTIONS_MAX)),
    bodies: (values.body ?? [BODY_NAMES[0]!]).map(body),
    only: values.only ?? [],
    pin,
    data: values.data ?? null,
    json: values.json ?? null,
    write: values.write,
    from: values.from ?? null,
  };
}

export function benchHelp(): string {
  const line = (flag: string, text: string) => `  ${`--${flag}`.padEnd(14)} ${text}`;
  const lines = [
    'npm run bench -- [options]: Forebay and what one would take instead, in turn, on this machine',
    '',
    'Options',
    ...Object.entries(numbers).map(([name, { fallback, quick, help }]) =>
      line(name, `${help} (default ${fallback}, with --quick ${quick})`),
    ),
    line('connections', `how many at once; 64,256,1024 runs all of these (default ${CONNECTIONS})`),
    line('body', 'what is posted, a name or the JSON itself; can be repeated (default plain):'),
    ...bodyHelp().map((text) => `${' '.repeat(19)}${text}`),
    line('only', 'those whose name contains this, and the yardstick; can be repeated'),
    line('pin', 'generator: wrk has a core of its own, servers run anywhere (default);'),
    `${' '.repeat(17)}apart: and the servers are kept off that core; none`,
    line('data', 'folder on the disk that is to be measured (default: for temporary files)'),
    line('json', 'file for the report'),
    line(
      'write',
      'report, chart and page in docs/, and the excerpt in README.md, are written anew',
    ),
    line('from', 'a report that there is already, instead of a run'),
    line('quick', 'one short round, to see whether everything works'),
    '',
    'Exit codes',
    '  0  every answer was right',
    '  1  some were not, or a contestant did not start',
    '  2  an option is wrong',
  ];
  return `${lines.join('\n')}\n`;
}

function read(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: flags, strict: true }).values;
  } catch (error) {
    throw usage(String((error as Error).message).split('\n')[0]!);
  }
}

function body(text: string): Body {
  const found = bodyOf(text);
  if (found === null) throw usage(`--body ${text}: ${BODY_NAMES.join(', ')}, or JSON`);
  if (found.texts.some((json) => json.includes(']==]'))) {
    throw usage(`--body ${text}: must be without ]==], which ends a string for wrk`);
  }
  return found;
}

function whole(name: string, text: string, max: number): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(Number.isInteger(value) && value >= 1 && value <= max)) {
    throw usage(`--${name} ${text}: a whole number, 1 to ${max}`);
  }
  return value;
}

function usage(message: string): OperatorFault {
  return new OperatorFault(`${message} (npm run bench -- --help)`, EXIT.usage);
}
