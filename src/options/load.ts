import { availableParallelism } from 'node:os';
import { KEPT_BYTES_MAX } from '../model/kept-headers.js';
import { HTTP_CHOICES, MODES, type Options } from '../model/options.js';
import { holdsSecret, type Redact, redactor } from '../model/redact.js';
import { sharesPort } from './port-sharing.js';
import { schema } from './schema.js';
import {
  COMMAND_LINE,
  fault,
  type GivenOptions,
  IN_CODE,
  type OptionKey,
  quoteOption,
  readObject,
  readSources,
} from './sources.js';
import {
  type AnySpec,
  type DefaultInputs,
  flagName,
  isDerived,
  maySecret,
  type NumberSpec,
  rangeText,
  rangeTextInCode,
} from './spec.js';

export interface LoadedOptions {
  readonly options: Options;
  /** The options that were set explicitly, and where. */
  readonly given: GivenOptions;
  /** Variables that Kubernetes set, which are no options. */
  readonly ofKubernetes: readonly string[];
  /** Options that hold a password or a token on the command line, which every user of the machine can read. */
  readonly exposed: readonly OptionKey[];
}

/**
 * The options in force: a flag overrides the environment, which overrides `--config FILE`, which overrides the
 * default. Checked and deeply frozen.
 *
 * @param argv what follows the subcommand, without `--help`
 * @throws OperatorFault with EXIT.usage, one line with option, value, origin and fix
 */
export function loadOptions(argv: readonly string[], env: NodeJS.ProcessEnv): Options {
  return loadWithOrigins(argv, env).options;
}

/** `loadOptions`, with the origin of each option that was set. @param cores of the machine */
export function loadWithOrigins(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  cores: number = availableParallelism(),
): LoadedOptions {
  const { given, ofKubernetes } = readSources(argv, env);
  const exposed = [...given]
    .filter(([key, { value, origin }]) => {
      return origin === COMMAND_LINE && maySecret(schema[key]) && holdsSecret(String(value));
    })
    .map(([key]) => key);
  return { options: checked(given, typed, cores), given, ofKubernetes, exposed };
}

/** Removes the secrets of these options from a text. */
export function redactorOf(options: Options, env: NodeJS.ProcessEnv = process.env): Redact {
  const { nats, natsMonitor, postgresUrl } = options;
  // The PostgreSQL client reads this variable.
  return redactor([...nats, ...natsMonitor, postgresUrl], [env.PGPASSWORD ?? '']);
}

/**
 * The options that a program passes to `serve`. Values must have the type of the option: text is not converted. Reads
 * neither the environment nor a file.
 *
 * @throws OperatorFault with EXIT.usage, one line with option, value and fix
 */
export function optionsOf(values: object): Options {
  return checked(readObject(values), (_spec, value) => value, availableParallelism());
}

function checked(
  given: GivenOptions,
  convert: (spec: AnySpec, value: unknown) => unknown,
  cores: number,
): Options {
  const inputs: DefaultInputs = {
    mode: choiceOf(given, 'mode', MODES),
    cores,
    bodyBytesMax: Number(given.get('bodyBytesMax')?.value ?? schema.bodyBytesMax.default),
    sharesPort: sharesPort(choiceOf(given, 'http', HTTP_CHOICES)) && !given.get('listen')?.value,
  };
  const values: Record<string, unknown> = {};
  for (const [key, spec] of Object.entries(schema)) {
    const value = given.get(key as OptionKey);
    values[key] = value === undefined ? defaultOf(spec, inputs) : convert(spec, value.value);
  }
  checkRanges(values, given);
  const options = values as unknown as Options;
  checkRelations(options, given);
  return deepFreeze(options);
}

/** Read before the check, because defaults depend on it; the check reports an invalid choice. */
function choiceOf<T extends string>(given: GivenOptions, key: OptionKey, choices: readonly T[]): T {
  const value = given.get(key)?.value;
  return choices.find((choice) => choice === value) ?? (schema[key].default as T);
}

function defaultOf(spec: AnySpec, inputs: DefaultInputs): unknown {
  if (!isDerived(spec.default)) return spec.default;
  const value = spec.default.from(inputs);
  // A large machine has more cores than an option takes.
  if (typeof value !== 'number' || !('max' in spec)) return value;
  // NaN where another option is wrong, which the check reports.
  return Math.min(Number.isNaN(value) ? spec.min : value, spec.max);
}

/**
 * Converts text from a flag or the environment to the option's type. Text that does not fit the type is
 * returned unchanged, so that the check reports it.
 */
function typed(spec: AnySpec, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  switch (spec.type) {
    case 'integer':
    case 'number':
      return /^-?\d+(?:\.\d+)?$/.test(value) ? Number(value) : value;
    case 'list':
      return value.split(',').map((item) => item.trim());
    case 'switch':
      return value === 'on' ? true : value === 'off' ? false : value;
    default:
      return value;
  }
}

/** A copy that is frozen at every depth. */
function deepFreeze<T>(value: T): T {
  if (Array.isArray(value)) return Object.freeze(value.map(deepFreeze)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.freeze(
    Object.fromEntries(Object.entries(value).map(([key, member]) => [key, deepFreeze(member)])),
  ) as T;
}

/** @throws OperatorFault for the first option whose value is not of its type or in its range */
function checkRanges(values: Readonly<Record<string, unknown>>, given: GivenOptions): void {
  for (const [name, spec] of Object.entries(schema)) {
    if (isAccepted(spec, values[name])) continue;
    const key = name as OptionKey;
    const text = given.get(key)?.origin === IN_CODE ? rangeTextInCode : rangeText;
    throw fault(`${named(key, given)}: must be ${text(spec)}`);
  }
}

/** By hand, because loading a validator would take a tenth of the start. */
function isAccepted(spec: AnySpec, value: unknown): boolean {
  switch (spec.type) {
    case 'integer':
      return Number.isInteger(value) && isWithin(spec, value as number);
    case 'number':
      return Number.isFinite(value) && isWithin(spec, value as number);
    case 'text':
      return isText(spec.pattern, value);
    case 'list':
      return Array.isArray(value) && value.every((item) => isText(spec.pattern, item));
    case 'choice':
      return (spec.choices as readonly unknown[]).includes(value);
    case 'switch':
      return typeof value === 'boolean';
  }
}

function isWithin({ min, max }: NumberSpec, value: number): boolean {
  return value >= min && value <= max;
}

function isText(pattern: string, value: unknown): boolean {
  return typeof value === 'string' && new RegExp(pattern, 'u').test(value);
}

const WILDCARDS = ['0.0.0.0', '::'];

/** @throws OperatorFault for two options that are valid alone and contradict each other */
function checkRelations(options: Options, given: GivenOptions): void {
  if (options.retryMsMin > options.retryMsMax) {
    throw fault(
      `${named('retryMsMin', given, options)}: must be at most ${nameOf('retryMsMax', given)} (${options.retryMsMax})`,
    );
  }
  // A frame must have room for the longest order, its kept headers and its line feed.
  const kept = options.keepHeaders.length > 0 ? KEPT_BYTES_MAX : 0;
  if (options.frameBytesMax < options.bodyBytesMax + kept + 1) {
    const more = kept > 0 ? `, and ${kept} for ${nameOf('keepHeaders', given)}` : '';
    throw fault(
      `${named('frameBytesMax', given, options)}: must be more than ${nameOf('bodyBytesMax', given)} (${options.bodyBytesMax})${more}`,
    );
  }
  if (
    options.listen === '' &&
    options.port !== 0 &&
    options.port === options.adminPort &&
    hostsMeet(options)
  ) {
    throw fault(
      `${named('adminPort', given, options)}: must not be the same as ${nameOf('port', given)}`,
    );
  }
  if (options.connectionsPerAddressMax > 0 && process.platform !== 'linux') {
    throw fault(
      `${named('connectionsPerAddressMax', given, options)}: must be 0 on this system: only Linux says who is connected`,
    );
  }
  checkTls(options, given);
  checkSenders(options, given);
  if (options.threads > 1 && options.listen !== '') {
    throw fault(
      `${named('threads', given, options)}: must be 0 or 1 with ${nameOf('listen', given)}, because threads cannot share a unix socket`,
    );
  }
  if (options.threads > 1 && !sharesPort(options.http)) {
    const reason =
      process.platform === 'linux'
        ? `with ${nameOf('http', given)} node on Node ${process.versions.node}: it can share a port between threads since Node 23.1`
        : 'on this system: only Linux can share a port between threads';
    throw fault(`${named('threads', given, options)}: must be 0 or 1 ${reason}`);
  }
}

/** @throws OperatorFault a file of TLS without the one that it belongs to */
function checkTls(options: Options, given: GivenOptions): void {
  const needs = (key: OptionKey, other: OptionKey) => {
    if (!given.has(key) || options[key] === '' || options[other] !== '') return;
    throw fault(`${named(key, given, options)}: needs ${nameOf(other, given)}`);
  };
  needs('tlsCert', 'tlsKey');
  needs('tlsKey', 'tlsCert');
  needs('tlsCa', 'tlsCert');
  needs('tlsMin', 'tlsCert');
}

/** @throws OperatorFault secrets without a scheme, or the other way round */
function checkSenders(options: Options, given: GivenOptions): void {
  const { verify, verifySecrets } = options;
  if ((verify === '') === (verifySecrets === '')) return;
  const [key, other] = (['verify', 'verifySecrets'] as const).toSorted(
    (a, b) => Number(options[a] === '') - Number(options[b] === ''),
  );
  throw fault(`${named(key!, given, options)}: needs ${nameOf(other!, given)}`);
}

function hostsMeet({ host, adminHost }: Options): boolean {
  return host === adminHost || WILDCARDS.includes(host) || WILDCARDS.includes(adminHost);
}

/** Option, value and origin: `--port 70000 (FOREBAY_PORT)`. */
function named(key: OptionKey, given: GivenOptions, options?: Options): string {
  const { value, origin } = given.get(key) ?? { value: options?.[key], origin: 'default' };
  // Code must show the type: port "3000" is wrong there, and port 3000 right.
  const isPlain = origin !== IN_CODE && !maySecret(schema[key]);
  const isBare = isPlain && typeof value === 'string' && /^[\w.,:-]+$/.test(value);
  const shown = isBare ? value : quoteOption(key, value);
  return `${nameOf(key, given)} ${shown} (${origin})`;
}

/** As the reader writes it: `--port` on a command line, `port` in code. */
function nameOf(key: OptionKey, given: GivenOptions): string {
  const isInCode = [...given.values()].some(({ origin }) => origin === IN_CODE);
  return isInCode ? key : `--${flagName(key)}`;
}
