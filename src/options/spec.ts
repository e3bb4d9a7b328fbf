import type { Mode, Options } from '../model/options.js';

/** What a default may depend on. */
export interface DefaultInputs {
  readonly mode: Mode;
  readonly cores: number;
  /** The value of --body-bytes-max, which may be out of its range. */
  readonly bodyBytesMax: number;
  /** Whether several intake threads can listen on one port. */
  readonly sharesPort: boolean;
}

/** A default that is computed at the start, and its description for help and docs. */
export interface DerivedDefault<T> {
  readonly text: string;
  from(inputs: DefaultInputs): T;
}

interface SpecOf<T> {
  /** One sentence without a full stop: what the option is, not its range. */
  readonly help: string;
  readonly group: Group;
  readonly default: T | DerivedDefault<T>;
}

export interface NumberSpec extends SpecOf<number> {
  readonly type: 'integer' | 'number';
  /** Shown as the placeholder of the value. */
  readonly unit: string;
  readonly min: number;
  readonly max: number;
}

/** Of an option that may hold a password or a token. It can also be read from a file: `FOREBAY_NATS_FILE`. */
interface MaySecret {
  readonly secret?: true;
}

export interface TextSpec extends SpecOf<string>, MaySecret {
  readonly type: 'text';
  readonly unit: string;
  /** A regular expression for the whole value, and its description. */
  readonly pattern: string;
  readonly patternText: string;
}

export interface ListSpec extends SpecOf<readonly string[]>, MaySecret {
  readonly type: 'list';
  readonly unit: string;
  /** A regular expression for one item, and a description of the items. */
  readonly pattern: string;
  readonly patternText: string;
}

export interface ChoiceSpec<T extends string> extends SpecOf<T> {
  readonly type: 'choice';
  readonly choices: readonly T[];
}

export interface SwitchSpec extends SpecOf<boolean> {
  readonly type: 'switch';
}

export type AnySpec = NumberSpec | TextSpec | ListSpec | ChoiceSpec<string> | SwitchSpec;

/** The spec that fits a property of type `T`. */
export type SpecFor<T> = [T] extends [boolean]
  ? SwitchSpec
  : [T] extends [number]
    ? NumberSpec
    : [T] extends [readonly string[]]
      ? ListSpec
      : [T] extends [string]
        ? string extends T
          ? TextSpec
          : ChoiceSpec<T>
        : never;

/** One spec for each property of `Options`. */
export type Specs = { readonly [P in keyof Options]: SpecFor<Options[P]> };

/** The headings of help and docs, in their order. */
export const GROUPS = [
  'Server',
  'Intake',
  'Senders',
  'Commit',
  'Journal',
  'Drain',
  'Handler',
] as const;
export type Group = (typeof GROUPS)[number];

/** `rpsLimit` → `rps-limit`. */
export function flagName(property: string): string {
  return property.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `rps-limit` → `FOREBAY_RPS_LIMIT`. */
export function environmentName(flag: string): string {
  return `FOREBAY_${flag.replaceAll('-', '_').toUpperCase()}`;
}

export function maySecret(spec: AnySpec): boolean {
  return 'secret' in spec && spec.secret === true;
}

/** `FOREBAY_NATS` → `FOREBAY_NATS_FILE`, which names a file with the value. */
export function fileVariable(variable: string): string {
  return `${variable}_FILE`;
}

/** What is wrong with passwords on the command line, and what to type. @param properties the options that hold one */
export function exposureText(properties: readonly string[]): string {
  const flags = properties.map(flagName);
  const variables = flags.map(environmentName);
  return `${flags.map((flag) => `--${flag}`).join(', ')}: a password on the command line can be read by every user of this machine; set ${variables.join(', ')} instead, or ${variables.map(fileVariable).join(', ')} to a file that holds the value`;
}

/** The accepted values, as text that follows "must be". */
export function rangeText(spec: AnySpec): string {
  switch (spec.type) {
    case 'integer':
      return `a whole number from ${spec.min} to ${spec.max}`;
    case 'number':
      return `a number from ${spec.min} to ${spec.max}`;
    case 'choice':
      return choicesText(spec.choices);
    case 'switch':
      return 'on or off';
    case 'list':
      return `${spec.patternText}, separated by commas`;
    default:
      return spec.patternText;
  }
}

/** The same for a program, whose values have the type of the option. */
export function rangeTextInCode(spec: AnySpec): string {
  switch (spec.type) {
    case 'switch':
      return 'true or false';
    case 'list':
      return `an array of ${spec.patternText}`;
    default:
      return rangeText(spec);
  }
}

function choicesText(choices: readonly string[]): string {
  return `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
}

/** The default as help and docs show it. */
export function defaultText(spec: AnySpec): string {
  const value: unknown = spec.default;
  if (isDerived(value)) return value.text;
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (value === '') return 'none';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(',');
  return String(value);
}

export function isDerived(value: unknown): value is DerivedDefault<unknown> {
  return typeof value === 'object' && value !== null && 'from' in value;
}
