import { parseArgs } from 'node:util';
import { EXIT, OperatorFault } from '../../model/fault.js';
import { type LoadedOptions, loadWithOrigins } from '../../options/load.js';

/** Which dead letters to work on. */
export type Selection =
  | { readonly by: 'ids'; readonly ids: readonly string[] }
  | { readonly by: 'all' }
  /** Dead letters whose reason contains the text. */
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
  /** At most so many orders in any second; 0 is no limit. */
  readonly rate: number;
}

export interface DropRequest {
  readonly do: 'drop';
  readonly selection: Selection;
  readonly dryRun: boolean;
}

export type DlqRequest = ListRequest | ShowRequest | ReplayRequest | DropRequest;

/** What cannot be read. */
export interface UnreadableRequest {
  readonly do: 'unreadable';
  readonly limit: number;
  readonly json: boolean;
}

export interface SetAsideRequest {
  readonly do: 'set-aside';
  /** Null for all. */
  readonly ids: readonly string[] | null;
  readonly dryRun: boolean;
}

/** Options of the server, passed on to its parser, which checks them. */
const SERVER_FLAGS = [
  'data',
  'nats',
  'nats-stream',
  'nats-tls-ca',
  'nats-tls-cert',
  'nats-tls-key',
  'nats-creds',
  'nats-nkey',
  'schema',
  'body-depth-max',
  'config',
] as const;

/** Flags of each subcommand besides `SERVER_FLAGS`. */
const FLAGS = {
  list: ['reason', 'limit', 'json'],
  show: ['json'],
  replay: ['all', 'reason', 'dry-run', 'rate'],
  drop: ['all', 'reason', 'dry-run', 'yes'],
  unreadable: ['limit', 'json'],
  'set-aside': ['all', 'dry-run'],
} as const;

type Command = keyof typeof FLAGS;

const TYPES = {
  data: 'string',
  nats: 'string',
  'nats-stream': 'string',
  'nats-tls-ca': 'string',
  'nats-tls-cert': 'string',
  'nats-tls-key': 'string',
  'nats-creds': 'string',
  'nats-nkey': 'string',
  schema: 'string',
  'body-depth-max': 'string',
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

/** Order ids are shorter; the journals accept no longer keys. */
const ID_CHARS_MAX = 128;

interface ParsedArguments {
  readonly command: Command;
  readonly ids: readonly string[];
  readonly flags: Readonly<Partial<Record<keyof typeof TYPES, string | boolean>>>;
}

/** @throws OperatorFault with EXIT.usage, one line with the error and the accepted flags */
export function parseDlq(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): {
  readonly request: DlqRequest | UnreadableRequest | SetAsideRequest;
  readonly loaded: LoadedOptions;
} {
  const given = parseArguments(argv);
  const serverArgv = SERVER_FLAGS.flatMap((name) => {
    const value = given.flags[name];
    return value === undefined ? [] : [`--${name}=${value}`];
  });
  return { request: requestOf(given), loaded: loadWithOrigins(serverArgv, env) };
}

function parseArguments(argv: readonly string[]): ParsedArguments {
  const [command = '', ...args] = argv;
  if (!isCommand(command)) {
    const what = command === '' ? 'missing subcommand' : `unknown subcommand ${command}`;
    throw usage('', `${what}; use one of ${Object.keys(FLAGS).join(', ')}, or see --help`);
  }
  const known = [...SERVER_FLAGS, ...FLAGS[command]];
  const options = Object.fromEntries(known.map((name) => [name, { type: TYPES[name] }]));
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    return { command, ids: positionals, flags: values as ParsedArguments['flags'] };
  } catch (error) {
    const [what] = (error as Error).message.split(/\n|\. /);
    throw usage(
      command,
      `${what}; accepted options: ${known.map((name) => `--${name}`).join(', ')}`,
    );
  }
}

function requestOf(given: ParsedArguments): DlqRequest | UnreadableRequest | SetAsideRequest {
  const { command, ids, flags } = given;
  const json = flags.json === true;
  const dryRun = flags['dry-run'] === true;
  switch (command) {
    case 'list':
      return listRequest(given);
    case 'show': {
      const [orderId, ...more] = idsOf(given);
      if (orderId === undefined || more.length > 0)
        throw usage('show', 'expected exactly one order id');
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
          '--all deletes every dead letter permanently; confirm with --yes, or try --dry-run',
        );
      }
      return { do: 'drop', selection, dryRun };
    }
    case 'unreadable':
      if (ids.length > 0) throw usage(command, `unexpected argument ${ids[0]}`);
      return { do: command, limit: limitOf(given), json };
    case 'set-aside':
      if (ids.length > 0 === (flags.all === true)) {
        throw usage(command, 'select rows by the ids that dlq unreadable lists, or --all');
      }
      return { do: command, ids: flags.all === true ? null : [...new Set(idsOf(given))], dryRun };
  }
}

function listRequest(given: ParsedArguments): ListRequest {
  const { ids, flags } = given;
  if (ids.length > 0) {
    throw usage('list', `unexpected argument ${ids[0]}; to print one dead letter, use dlq show`);
  }
  const text = flags.reason as string | undefined;
  const selection: Selection = text === undefined ? { by: 'all' } : { by: 'reason', text };
  return { do: 'list', selection, limit: limitOf(given), json: flags.json === true };
}

function limitOf(given: ParsedArguments): number {
  return numberOf(given, 'limit', LIMIT_MAX) ?? Number.POSITIVE_INFINITY;
}

/** Exactly one of the three ways to select. */
function selectionOf(given: ParsedArguments): Selection {
  const { command, flags } = given;
  const text = flags.reason as string | undefined;
  const ids = idsOf(given);
  const selectors = [ids.length > 0, flags.all === true, text !== undefined].filter(Boolean);
  if (selectors.length !== 1) {
    throw usage(
      command,
      'select dead letters by order ids, --all or --reason TEXT (exactly one of these)',
    );
  }
  if (ids.length > 0) return { by: 'ids', ids: [...new Set(ids)] };
  return text === undefined ? { by: 'all' } : { by: 'reason', text };
}

function idsOf({ command, ids }: ParsedArguments): readonly string[] {
  const invalid = ids.find((id) => id === '' || id.length > ID_CHARS_MAX);
  if (invalid !== undefined) {
    throw usage(
      command,
      `"${invalid.slice(0, 40)}" is not an order id: expected 1 to ${ID_CHARS_MAX} characters`,
    );
  }
  return ids;
}

function numberOf(given: ParsedArguments, name: 'limit' | 'rate', max: number): number | null {
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
