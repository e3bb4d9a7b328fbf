import { readFileSync } from 'node:fs';
import { EXIT, OperatorFault } from '../model/fault.js';
import type { Options } from '../model/options.js';
import { schema } from './schema.js';
import { environmentName, flagName } from './spec.js';
import { editDistance, nearest, suggestion } from './suggest.js';

export type OptionKey = keyof Options;

/** A value as it was set, and where: `command line`, a variable or a file. */
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

/** The values of the three sources: a flag overrides the environment, which overrides the file. */
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

/** The origin of options that a program passes to `serve`. */
export const IN_CODE = 'serve()';

/** Options of a program, named as in `Options`; undefined counts as unset. */
export function readObject(values: object): GivenOptions {
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw fault(
      `${quote(values)} (${IN_CODE}): the options must be an object such as { port: 8080 }`,
    );
  }
  const given: GivenOptions = new Map();
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue;
    if (!keys.includes(name as OptionKey)) {
      const hint = suggestion(name, keys, (key) => key);
      throw fault(`${name} (${IN_CODE}): unknown option; ${hint}`);
    }
    given.set(name as OptionKey, { value, origin: IN_CODE });
  }
  return given;
}

/** `--name value` and `--name=value`; the last of a repeated flag wins. */
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
      const hint = suggestion(name, flags, (flag) => `--${flag}`);
      throw fault(`--${name}: unknown option; ${hint}`);
    }
    const value = equals === -1 ? argv[++i] : argument.slice(equals + 1);
    if (value === undefined || value === '' || (equals === -1 && value.startsWith('--'))) {
      throw fault(`--${name}: missing value; see --help`);
    }
    if (key === undefined) config = value;
    else given.set(key, { value, origin: 'command line' });
  }
  return { given, config };
}

/**
 * An empty variable counts as unset, because compose files and shells pass those on. An unknown variable is
 * refused only when it looks like a typing error, because other programs may set names that begin with FOREBAY_
 * (Kubernetes sets FOREBAY_SERVICE_HOST for a service called forebay).
 */
function readEnvironment(env: NodeJS.ProcessEnv): FirstSources {
  const given: GivenOptions = new Map();
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('FOREBAY_') || value === undefined || value === '') continue;
    const key = keyOfVariable.get(name);
    if (key !== undefined) given.set(key, { value, origin: name });
    else refuseTypo(name);
  }
  return { given, config: env[environmentName('config')] || undefined };
}

function refuseTypo(name: string): void {
  const closest = nearest(name, variables);
  const editsMax = closest.length <= 'FOREBAY_'.length + 6 ? 1 : 2;
  const edits = editDistance(name, closest);
  if (edits > 0 && edits <= editsMax) {
    throw fault(`${name}: unknown variable; did you mean ${closest}?`);
  }
}

/** A JSON object whose members are named like the flags, without the leading hyphens. */
function readConfig(file: string): GivenOptions {
  const given: GivenOptions = new Map();
  for (const [name, value] of Object.entries(parseConfig(file))) {
    const key = keyOfFlag.get(name);
    if (key === undefined) {
      const hint = suggestion(flagName(name), [...keyOfFlag.keys()], quote);
      throw fault(`${quote(name)} in ${file}: unknown option; ${hint}`);
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
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : firstLine(message);
    throw fault(
      `--config ${quote(file)}: ${why}; name a file with a JSON object such as {"port":8080}`,
    );
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw fault(`--config ${quote(file)}: must contain a JSON object such as {"port":8080}`);
  }
  return parsed;
}

/** Any value as one short line, with credentials inside URLs removed. */
export function quote(value: unknown): string {
  const text = (JSON.stringify(value) ?? String(value))
    .replace(/[^/\s",]*@/g, '***@')
    // A PostgreSQL URL may also have the password as a parameter.
    .replace(/([?&](?:\w*password|token)=)[^&\s",]*/gi, '$1***');
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0];
}

export function fault(message: string): OperatorFault {
  return new OperatorFault(message, EXIT.usage);
}
