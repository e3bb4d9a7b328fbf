import { readFileSync } from 'node:fs';
import { EXIT, OperatorFault } from '../model/fault.js';
import type { Options } from '../model/options.js';
import { schema } from './schema.js';
import { environmentName, flagName } from './spec.js';
import { editDistance, nearest, remedyFor } from './suggest.js';

export type OptionKey = keyof Options;

/** A value as it was given, and where, in words for the operator. */
export interface Given {
  readonly value: unknown;
  readonly origin: string;
}

export type GivenOptions = Map<OptionKey, Given>;

const keys = Object.keys(schema) as OptionKey[];
const keyOfFlag = new Map(keys.map((key) => [flagName(key), key]));
const keyOfVariable = new Map(keys.map((key) => [environmentName(flagName(key)), key]));
const flags = [...keyOfFlag.keys(), 'config', 'help'];
const variables = [...keyOfVariable.keys(), environmentName('config')];

/** What the three sources hold, the stronger source already in front: flag, environment, file. */
export function readSources(argv: readonly string[], env: NodeJS.ProcessEnv): GivenOptions {
  const flagged = readFlags(argv);
  const variable = readEnvironment(env);
  const config = flagged.config ?? variable.config;
  const given: GivenOptions = config === undefined ? new Map() : readConfig(config);
  for (const [key, value] of variable.given) given.set(key, value);
  for (const [key, value] of flagged.given) given.set(key, value);
  return given;
}

interface FirstSources {
  readonly given: GivenOptions;
  readonly config: string | undefined;
}

/** `--name value` and `--name=value`; of a flag given twice, the last counts. */
function readFlags(argv: readonly string[]): FirstSources {
  const given: GivenOptions = new Map();
  let config: string | undefined;
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i];
    if (!argument.startsWith('--')) {
      throw fault(`${quote(argument)}: not an option; options look like --port 3000`);
    }
    const equals = argument.indexOf('=');
    const name = argument.slice(2, equals === -1 ? undefined : equals);
    const key = keyOfFlag.get(name);
    if (key === undefined && name !== 'config') {
      const remedy = remedyFor(name, flags, (meant) => `--${meant}`);
      throw fault(`--${name}: unknown option; ${remedy}`);
    }
    const value = equals === -1 ? argv[++i] : argument.slice(equals + 1);
    if (value === undefined || value === '' || (equals === -1 && value.startsWith('--'))) {
      throw fault(`--${name}: a value must follow; see --help`);
    }
    if (key === undefined) config = value;
    else given.set(key, { value, origin: 'command line' });
  }
  return { given, config };
}

/**
 * An empty variable counts as unset: compose files and shells pass those on. A variable that is not
 * ours is only refused when it looks like a slip of the pen, because others may own names that begin
 * with FOREBAY_ (Kubernetes invents FOREBAY_SERVICE_HOST for a service called forebay).
 */
function readEnvironment(env: NodeJS.ProcessEnv): FirstSources {
  const given: GivenOptions = new Map();
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('FOREBAY_') || value === undefined || value === '') continue;
    const key = keyOfVariable.get(name);
    if (key !== undefined) given.set(key, { value, origin: name });
    else refuseSlip(name);
  }
  return { given, config: env[environmentName('config')] || undefined };
}

function refuseSlip(name: string): void {
  const meant = nearest(name, variables);
  const editsMax = meant.length <= 'FOREBAY_'.length + 6 ? 1 : 2;
  const edits = editDistance(name, meant);
  if (edits > 0 && edits <= editsMax) {
    throw fault(`${name}: unknown variable; did you mean ${meant}?`);
  }
}

/** A JSON object whose members are named like the flags, without the hyphens in front. */
function readConfig(file: string): GivenOptions {
  const given: GivenOptions = new Map();
  for (const [name, value] of Object.entries(parseConfig(file))) {
    const key = keyOfFlag.get(name);
    if (key === undefined) {
      const remedy = remedyFor(flagName(name), [...keyOfFlag.keys()], quote);
      throw fault(`${quote(name)} in ${file}: unknown option; ${remedy}`);
    }
    given.set(key, { value, origin: file });
  }
  return given;
}

function parseConfig(file: string): object {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw fault(`--config ${quote(file)}: ${firstLine((error as Error).message)}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw fault(`--config ${quote(file)}: must hold a JSON object such as {"port":8080}`);
  }
  return parsed;
}

/** A value as one short line, whatever is in it; credentials inside URLs are left out. */
export function quote(value: unknown): string {
  const text = (JSON.stringify(value) ?? String(value))
    .replace(/[^/\s",]*@/g, '***@')
    // As PostgreSQL's URLs may have it too.
    .replace(/([?&](?:\w*password|token)=)[^&\s",]*/gi, '$1***');
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0];
}

export function fault(message: string): OperatorFault {
  return new OperatorFault(message, EXIT.usage);
}
