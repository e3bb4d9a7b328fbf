import { parseArgs } from 'node:util';
import { EXIT, OperatorFault } from '../../src/model/fault.js';
import { type Durability, durabilities } from '../contestants/contestant.js';
import { BODY_NAMES, type Body, bodyHelp, bodyOf } from './bodies.js';

/** generator: wrk has its own core, servers run on any. apart: servers are also kept off that core. */
export const PINS = ['generator', 'apart', 'none'] as const;
export type Pin = (typeof PINS)[number];

export interface BenchOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpS: number;
  /** For orders that are sent one by one. */
  readonly connections: readonly number[];
  readonly batches: readonly number[];
  readonly batchConnections: number;
  readonly bodies: readonly Body[];
  /** Parts of names of contestants; empty: all. */
  readonly only: readonly string[];
  /** Null: all. */
  readonly durability: Durability | null;
  /** Only the servers that take batches, for the chart of durability classes. */
  readonly classes: boolean;
  readonly pin: Pin;
  /** Folder for the servers' data; null: the system's folder for temporary files. */
  readonly data: string | null;
  readonly json: string | null;
  /** Adds rounds to the report in that file. */
  readonly continue: boolean;
  readonly write: boolean;
  /** Path of a report to read instead of measuring. */
  readonly from: string | null;
}

interface NumberOption {
  readonly fallback: number;
  /** With --classes. */
  readonly classes: number;
  readonly quick: number;
  readonly max: number;
  readonly help: string;
}

const numbers = {
  rounds: {
    fallback: 5,
    classes: 5,
    quick: 1,
    max: 100,
    help: 'in each round every server is measured once',
  },
  seconds: { fallback: 4, classes: 2, quick: 1, max: 300, help: 'of load that is measured' },
  'warm-up': {
    fallback: 5,
    classes: 2,
    quick: 1,
    max: 60,
    help: 'seconds of load before that; below 5, V8 may still be compiling',
  },
} as const satisfies Record<string, NumberOption>;

const CONNECTIONS = '256';
const BATCH_CONNECTIONS = '64';
const CONNECTIONS_MAX = 10_000;
/** The default of Forebay's --frame-orders-max. */
const BATCH_MAX = 1000;
const CLASS_NAMES = Object.keys(durabilities) as Durability[];
const CLASS_BATCHES = '1,10,100,500';

const flags = {
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  'warm-up': { type: 'string' },
  connections: { type: 'string', default: CONNECTIONS },
  batch: { type: 'string' },
  'batch-connections': { type: 'string', default: BATCH_CONNECTIONS },
  body: { type: 'string', multiple: true },
  only: { type: 'string', multiple: true },
  class: { type: 'string' },
  classes: { type: 'boolean', default: false },
  pin: { type: 'string' },
  data: { type: 'string' },
  json: { type: 'string' },
  continue: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
  from: { type: 'string' },
  quick: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** @returns null for --help @throws OperatorFault one line: the option, its value and what is allowed */
export function parseBenchOptions(args: readonly string[]): BenchOptions | null {
  const values = read(args);
  if (values.help) return null;
  const numberOf = (name: keyof typeof numbers) => {
    const { fallback, classes, quick, max } = numbers[name];
    const text = values[name];
    if (text !== undefined) return whole(name, text, max);
    return values.quick ? quick : values.classes ? classes : fallback;
  };
  const numbersOf = (name: string, text: string, max: number) =>
    text.split(',').map((part) => whole(name, part, max));
  const { pin = values.classes ? 'apart' : 'generator' } = values;
  const { batch = values.classes ? CLASS_BATCHES : '1' } = values;
  if (values.continue && values.json === undefined) throw usage('--continue: needs --json');
  return {
    rounds: numberOf('rounds'),
    seconds: numberOf('seconds'),
    warmUpS: numberOf('warm-up'),
    connections: numbersOf('connections', values.connections, CONNECTIONS_MAX),
    batches: numbersOf('batch', batch, BATCH_MAX),
    batchConnections: whole('batch-connections', values['batch-connections'], CONNECTIONS_MAX),
    bodies: (values.body ?? [BODY_NAMES[0]!]).map(body),
    only: values.only ?? [],
    durability: values.class === undefined ? null : oneOf('class', values.class, CLASS_NAMES),
    classes: values.classes,
    pin: oneOf('pin', pin, PINS),
    data: values.data ?? null,
    json: values.json ?? null,
    continue: values.continue,
    write: values.write,
    from: values.from ?? null,
  };
}

export function benchHelp(): string {
  const line = (flag: string, text: string) => `  ${`--${flag}`.padEnd(14)} ${text}`;
  const lines = [
    'npm run bench -- [options]: measure Forebay and the usual alternatives on this machine',
    '',
    'Options',
    ...Object.entries(numbers).map(([name, { fallback, quick, help }]) =>
      line(name, `${help} (default ${fallback}, with --quick ${quick})`),
    ),
    line('connections', `number of connections, or several: 64,256,1024 (default ${CONNECTIONS})`),
    line('batch', `orders in a request (default 1, with --classes ${CLASS_BATCHES})`),
    line('batch-connections', ''),
    `${' '.repeat(17)}connections if there is more than one (default ${BATCH_CONNECTIONS})`,
    line('body', 'a name or JSON; can be repeated (default plain):'),
    ...bodyHelp().map((text) => `${' '.repeat(19)}${text}`),
    line('only', 'servers whose name contains this, and the bare server; can be repeated'),
    line('class', `servers of one class of durability: ${CLASS_NAMES.join(', ')}`),
    line('classes', 'the chart of all classes: servers that take batches, a short time for each,'),
    `${' '.repeat(17)}and --pin apart, so that on 2 cores the figures are those of one core`,
    line('pin', 'generator: wrk has its own core, servers use any (default);'),
    `${' '.repeat(17)}apart: servers are also kept off that core; none`,
    line('data', 'folder for the data, on the disk to measure (default: temporary files)'),
    line('json', 'file to save the report to, after each measurement'),
    line('continue', 'add rounds to the report in that file'),
    line('write', 'update report, chart and page in docs/ and the table in README.md'),
    line('from', 'read a saved report instead of measuring'),
    line('quick', 'one short round, to check that everything works'),
    '',
    'Exit codes',
    '  0  every response was correct',
    '  1  some were not, or a server did not start',
    '  2  wrong option',
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
  if (found === null)
    throw usage(`--body ${text}: must be one of ${BODY_NAMES.join(', ')}, or JSON`);
  if (found.texts.some((json) => json.includes(']==]'))) {
    throw usage(
      `--body ${text}: must not contain ]==], which would end the string in wrk's script`,
    );
  }
  return found;
}

function oneOf<T extends string>(name: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === text);
  if (found === undefined) throw usage(`--${name} ${text}: must be one of ${allowed.join(', ')}`);
  return found;
}

function whole(name: string, text: string, max: number): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(Number.isInteger(value) && value >= 1 && value <= max)) {
    throw usage(`--${name} ${text}: must be a whole number from 1 to ${max}`);
  }
  return value;
}

function usage(message: string): OperatorFault {
  return new OperatorFault(`${message} (npm run bench -- --help)`, EXIT.usage);
}
