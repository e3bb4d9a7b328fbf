import { readFileSync } from 'node:fs';
import { EXIT, OperatorFault, whyNotRead } from '../model/fault.js';
import type { Options } from '../model/options.js';
import { maskUrls, maskWord, type Redact, redactor } from '../model/redact.js';
import { isOfKubernetes } from './kubernetes.js';
import { schema } from './schema.js';
import { environmentName, fileVariable, flagName, maySecret } from './spec.js';
import { editDistance, nearest, suggestion } from './suggest.js';

export type OptionKey = keyof Options;

/** The origin of an option that was set by a flag. */
export const COMMAND_LINE = 'command line';

/** A value as it was set, and where: `COMMAND_LINE`, a variable or a file. */
export interface Given {
  readonly value: unknown;
  readonly origin: string;
}

export type GivenOptions = Map<OptionKey, Given>;

export interface Sources {
  readonly given: GivenOptions;
  /** Variables that Kubernetes set, which are no options. */
  readonly ofKubernetes: readonly string[];
}

const keys = Object.keys(schema) as OptionKey[];
const keyOfFlag = new Map(keys.map((key) => [flagName(key), key]));
const keyOfVariable = new Map(keys.map((key) => [environmentName(flagName(key)), key]));
const flags = [...keyOfFlag.keys(), 'config', 'help'];
const keyOfFileVariable = new Map(
  [...keyOfVariable]
    .filter(([, key]) => maySecret(schema[key]))
    .map(([name, key]) => [fileVariable(name), key]),
);
const variables = [...keyOfVariable.keys(), ...keyOfFileVariable.keys(), environmentName('config')];

/** The values of the three sources: a flag overrides the environment, which overrides the file. */
export function readSources(argv: readonly string[], env: NodeJS.ProcessEnv): Sources {
  const flagged = readFlags(argv);
  const variable = readEnvironment(env);
  const config = flagged.config ?? variable.config;
  const given: GivenOptions = config === undefined ? new Map() : readConfig(config);
  for (const [key, value] of variable.given) given.set(key, value);
  for (const [key, value] of flagged.given) given.set(key, value);
  return { given, ofKubernetes: variable.ofKubernetes };
}

interface FirstSource {
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
function readFlags(argv: readonly string[]): FirstSource {
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
    else given.set(key, { value, origin: COMMAND_LINE });
  }
  return { given, config };
}

/**
 * An empty variable counts as unset, because compose files and shells pass those on. An unknown variable is
 * refused only when it looks like a typing error, because other programs may set names that begin with FOREBAY_.
 */
function readEnvironment(
  env: NodeJS.ProcessEnv,
): FirstSource & { readonly ofKubernetes: readonly string[] } {
  const given: GivenOptions = new Map();
  const ofKubernetes: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('FOREBAY_') || value === undefined || value === '') continue;
    const key = keyOfVariable.get(name) ?? keyOfFileVariable.get(name);
    if (isOfKubernetes(name, value)) ofKubernetes.push(name);
    else if (key === undefined) refuseTypo(name);
    else {
      const other = given.get(key);
      if (other !== undefined) throw fault(`${name} and ${other.origin} are both set: unset one`);
      const text = keyOfFileVariable.has(name) ? valueInFile(name, value) : value;
      given.set(key, { value: text, origin: name });
    }
  }
  return { given, config: env[environmentName('config')] || undefined, ofKubernetes };
}

/** The value of an option from a file, as Docker and Kubernetes provide secrets; without the line feed at its end. */
function valueInFile(variable: string, file: string): string {
  const fix = 'name a readable file that holds the value of the option';
  let text: string;
  try {
    text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw fault(`${variable} ${quote(file)}: ${whyUnreadable(error)}; ${fix}`);
  }
  if (text === '') throw fault(`${variable} ${quote(file)}: the file is empty; ${fix}`);
  return text;
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
  const fix = 'name a file with a JSON object such as {"port":8080}';
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw fault(`--config ${quote(file)}: ${whyUnreadable(error)}; ${fix}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw fault(`--config ${quote(file)}: must contain a JSON object such as {"port":8080}`);
  }
  return parsed;
}

/** A SyntaxError of JSON.parse quotes the text, which may hold a password: only the place is passed on. */
function whyUnreadable(error: unknown): string {
  if (!(error instanceof SyntaxError)) return whyNotRead(error);
  const place = / at position \d+(?: \(line \d+ column \d+\))?$/.exec(error.message);
  return `it is not JSON${place?.[0] ?? ''}`;
}

/** Any value as one short line, with credentials removed. */
export function quote(value: unknown): string {
  const masked = (_key: string, part: unknown) =>
    typeof part === 'string' ? maskWord(part) : part;
  const text = JSON.stringify(value, masked) ?? maskWord(String(value));
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}

/** The value of an option as `quote` writes it. */
export function quoteOption(key: OptionKey, value: unknown): string {
  if (!maySecret(schema[key])) return quote(value);
  const urls = Array.isArray(value) ? value.map(maskAny) : maskAny(value);
  return quote(urls);
}

function maskAny(value: unknown): unknown {
  return typeof value === 'string' ? maskUrls(value) : value;
}

/** Removes the secrets of all sources from a text, for an error that comes before the options are known. */
export function redactorOfSources(argv: readonly string[], env: NodeJS.ProcessEnv): Redact {
  const words = argv.map((word) => word.replace(/^--[\w-]+=/, ''));
  const variables = Object.entries(env).filter(([name]) => name.startsWith('FOREBAY_'));
  const files = [
    ...words.filter((_word, i) => argv[i]!.startsWith('--config=') || argv[i - 1] === '--config'),
    ...variables.filter(([name]) => /_(?:CONFIG|FILE)$/.test(name)).map(([, file]) => file ?? ''),
  ];
  const texts = [...words, ...variables.map(([, value]) => value ?? ''), ...files.flatMap(textsIn)];
  const urls = texts.filter((text) => /:\/\/|:.*@/s.test(text) && !/^file:/i.test(text));
  return redactor(urls, [env.PGPASSWORD ?? '']);
}

/** The whole text of a file, and each text in quotes; none if it cannot be read. */
function textsIn(file: string): string[] {
  try {
    const text = readFileSync(file, 'utf8').trim();
    const quoted = Array.from(text.matchAll(/"((?:[^"\\]|\\.)*)"/g), ([, inner]) => inner!);
    return text.startsWith('{') ? quoted : [text];
  } catch {
    return [];
  }
}

export function fault(message: string): OperatorFault {
  return new OperatorFault(message, EXIT.usage);
}
