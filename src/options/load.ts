import { availableParallelism } from 'node:os';
import { MODES, type Mode, type Options } from '../model/options.js';
import { checkRanges, checkRelations } from './check.js';
import { schema } from './schema.js';
import { type GivenOptions, type OptionKey, readSources } from './sources.js';
import { type AnySpec, isDerived, type Surroundings } from './spec.js';

export interface LoadedOptions {
  readonly options: Options;
  /** Those that were given, if with the default's value, and where their value came from. */
  readonly given: GivenOptions;
}

/**
 * The options in force: flag over environment over `--config FILE` over default; checked, and frozen
 * through and through.
 *
 * @param argv what follows the subcommand, without `--help`
 * @throws OperatorFault with EXIT.usage, one line that names option, value, origin and remedy
 */
export function loadOptions(argv: readonly string[], env: NodeJS.ProcessEnv): Options {
  return loadWithOrigins(argv, env).options;
}

/** The same, with what was given, and where. */
export function loadWithOrigins(argv: readonly string[], env: NodeJS.ProcessEnv): LoadedOptions {
  const given = readSources(argv, env);
  const surroundings: Surroundings = {
    mode: modeOf(given),
    cores: availableParallelism(),
    platform: process.platform,
  };
  const values: Record<string, unknown> = {};
  for (const [key, spec] of Object.entries(schema)) {
    const value = given.get(key as OptionKey);
    values[key] = value === undefined ? defaultOf(spec, surroundings) : typed(spec, value.value);
  }
  checkRanges(values, given);
  const options = values as unknown as Options;
  checkRelations(options, given, surroundings.platform);
  return { options: deepFreeze(options), given };
}

/** Needed before the check, because defaults depend on it; a wrong one is refused by the check. */
function modeOf(given: GivenOptions): Mode {
  const value = given.get('mode')?.value;
  return MODES.find((mode) => mode === value) ?? (schema.mode.default as Mode);
}

function defaultOf(spec: AnySpec, surroundings: Surroundings): unknown {
  return isDerived(spec.default) ? spec.default.from(surroundings) : spec.default;
}

/**
 * Text, as flags and the environment give it, in the option's own type. What does not look like that
 * type stays as it is, for the check to refuse.
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

/** A copy that nobody can change, at any depth. */
function deepFreeze<T>(value: T): T {
  if (Array.isArray(value)) return Object.freeze(value.map(deepFreeze)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.freeze(
    Object.fromEntries(Object.entries(value).map(([key, member]) => [key, deepFreeze(member)])),
  ) as T;
}
