import { parseArgs } from 'node:util';
import { EXIT, OperatorFault } from '../../model/fault.js';
import type { Options } from '../../model/options.js';
import { loadOptions } from '../../options/load.js';

/** Passed on to the ordinary options, which check them. */
const JOURNAL_FLAGS = ['data', 'nats', 'nats-stream', 'config'] as const;

/** The flags of each command, besides those that say where the journal is. */
const FLAGS = {
  list: ['reason', 'limit', 'json'],
  show: ['json'],
  replay: ['all', 'reason', 'dry-run', 'rate'],
  drop: ['all', 'reason', 'dry-run', 'yes'],
} as const;

type Command = keyof typeof FLAGS;

const TYPES = {
  data: 'string',
  nats: 'string',
  'nats-stream': 'string',
  config: 'string',
  reason: 'string',
  limit: 'string',
  rate: 'string',
  json: 'boolean',
  all: 'boolean',
  'dry-run': 'boolean',
  yes: 'boolean',
} as const;

const LIMIT_MAX = 1_000_000_000;
const RATE_MAX = 1_000_000;

/** Longer than any order id; the journals take no longer keys. */
const ID_CHARS_MAX = 128;

interface Given {
  readonly command: Command;
  readonly ids: readonly string[];
  readonly flags: Readonly<Partial<Record<keyof typeof TYPES, string | boolean>>>;
}

/** @throws OperatorFault with EXIT.usage, one line that names what is wrong and what it takes */
export function parseDlq(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): { readonly request: DlqRequest; readonly journal: JournalOptions } {
  const given = read(argv);
  const journalArgv = JOURNAL_FLAGS.flatMap((name) => {
    const value = given.flags[name];
    return value === undefined ? [] : [`--${name}=${value}`];
  });
  return { request: requestOf(given), journal: loadOptions(journalArgv, env) };
}

function read(argv: readonly string[]): Given {
  const [command = '', ...args] = argv;
  if (!isCommand(command)) {
    const what = command === '' ? 'a command must follow' : `unknown command ${command}`;
    throw usage('', `${what}: it is ${Object.keys(FLAGS).join(', ')}; see --help`);
  }
  const known = [...JOURNAL_FLAGS, ...FLAGS[command]];
  const options = Object.fromEntries(known.map((name) => [name, { type: TYPES[name] }]));
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    return { command, ids: positionals, flags: values as Given['flags'] };
  } catch (error) {
    const [what] = (error as Error).message.split(/\n|\. /);
    throw usage(command, `${what}; it takes ${known.map((name) => `--${name}`).join(', ')}`);
  }
}

function requestOf(given: Given): DlqRequest {
  const { command, ids, flags } = given;
  const json = flags.json === true;
  const dryRun = flags['dry-run'] === true;
  switch (command) {
    case 'list': {
      if (ids.length > 0) throw usage('list', `${ids[0]} is an id: see dlq show`);
      const text = flags.reason as string | undefined;
      const selection: Selection = text === undefined ? { by: 'all' } : { by: 'reason', text };
      const limit = numberOf(given, 'limit', LIMIT_MAX) ?? Number.POSITIVE_INFINITY;
      return { do: 'list', selection, limit, json };
    }
    case 'show': {
      const [orderId, ...more] = idsOf(given);
      if (orderId === undefined || more.length > 0) throw usage('show', 'one order id must follow');
      return { do: 'show', orderId, json };
    }
    case 'replay': {
      const rate = numberOf(given, 'rate', RATE_MAX) ?? 0;
      return { do: 'replay', selection: selectionOf(given), dryRun, rate };
    }
    case 'drop': {
      const selection = selectionOf(given);
      if (selection.by === 'all' && !dryRun && flags.yes !== true) {
        throw usage(
          'drop',
          '--all deletes every dead letter for good: say --yes, or see --dry-run',
        );
      }
      return { do: 'drop', selection, dryRun };
    }
  }
}

/** Exactly one way to say which. */
function selectionOf(given: Given): Selection {
  const { command, flags } = given;
  const text = flags.reason as string | undefined;
  const ids = idsOf(given);
  const ways = [ids.length > 0, flags.all === true, text !== undefined].filter(Boolean);
  if (ways.length !== 1) {
    throw usage(
      command,
      'which ones: order ids, or --all, or --reason TEXT, and one of these only',
    );
  }
  if (ids.length > 0) return { by: 'ids', ids: [...new Set(ids)] };
  return text === undefined ? { by: 'all' } : { by: 'reason', text };
}

function idsOf({ command, ids }: Given): readonly string[] {
  const wrong = ids.find((id) => id === '' || id.length > ID_CHARS_MAX);
  if (wrong !== undefined) {
    throw usage(
      command,
      `"${wrong.slice(0, 40)}" is no order id: they have 1 to ${ID_CHARS_MAX} characters`,
    );
  }
  return ids;
}

function numberOf(given: Given, name: 'limit' | 'rate', max: number): number | null {
  const text = given.flags[name] as string | undefined;
  if (text === undefined) return null;
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= max) return value;
  throw usage(given.command, `--${name} ${text}: must be a whole number from 1 to ${max}`);
}

function isCommand(text: string): text is Command {
  return Object.hasOwn(FLAGS, text);
}

function usage(command: string, message: string): OperatorFault {
  return new OperatorFault(`dlq${command === '' ? '' : ` ${command}`}: ${message}`, EXIT.usage);
}

/** Which dead letters are meant. */
export type Selection =
  | { readonly by: 'ids'; readonly ids: readonly string[] }
  | { readonly by: 'all' }
  /** Those whose reason contains the text. */
  | { readonly by: 'reason'; readonly text: string };

export interface ListRequest {
  readonly do: 'list';
  readonly selection: Selection;
  readonly limit: number;
  readonly json: boolean;
}

export interface ShowRequest {
  readonly do: 'show';
  readonly orderId: string;
  readonly json: boolean;
}

export interface ReplayRequest {
  readonly do: 'replay';
  readonly selection: Selection;
  readonly dryRun: boolean;
  /** Orders in any second; 0 for no bound. */
  readonly rate: number;
}

export interface DropRequest {
  readonly do: 'drop';
  readonly selection: Selection;
  readonly dryRun: boolean;
}

export type DlqRequest = ListRequest | ShowRequest | ReplayRequest | DropRequest;

/** Where the journal is. */
export type JournalOptions = Pick<Options, 'data' | 'nats' | 'natsStream'>;
