import { parseArgs } from 'node:util';
import { EXIT, OperatorFault } from '../src/model/fault.js';
import { suggestion } from '../src/options/suggest.js';

interface FlagOf<T> {
  readonly default: T;
  /** For a line of the help. */
  readonly help: string;
  /** The name before version 0.2: it still works, with a warning. */
  readonly formerly?: string;
}

export interface NumberFlag extends FlagOf<number> {
  readonly min: number;
  readonly max: number;
  readonly isWhole?: true;
}

export interface TextFlag extends FlagOf<string> {
  /** The only values, where there are only so many. */
  readonly choices?: readonly string[];
}

type Flags = Readonly<Record<string, NumberFlag | TextFlag>>;
export type FlagValues<F extends Flags> = {
  readonly [N in keyof F]: F[N] extends NumberFlag ? number : string;
};

/**
 * Reads the flags of a drill.
 *
 * @param warn takes one line for each flag that is given by its former name
 * @throws OperatorFault with EXIT.usage: one line that names the flag and what it takes
 */
export function readFlags<F extends Flags>(
  command: string,
  flags: F,
  args: readonly string[],
  warn: (line: string) => void,
): FlagValues<F> {
  const given = givenFlags(command, flags, args);
  const values = Object.entries(flags).map(([name, flag]) => {
    const { formerly = '' } = flag;
    if (given[formerly] !== undefined) {
      warn(
        `forebay: ${command}: --${formerly} is now --${name}; the old name ends with version 0.3`,
      );
    }
    const text = given[name] ?? given[formerly];
    return [name, text === undefined ? flag.default : checkedValue(command, name, flag, text)];
  });
  return Object.fromEntries(values);
}

/** @returns a fault of the command line, for what one flag alone does not show */
export function flagFault(command: string, message: string): OperatorFault {
  return new OperatorFault(`${command}: ${message}`, EXIT.usage);
}

/** A line of help for each. */
export function flagLines(flags: Flags): string[] {
  return Object.entries(flags).map(
    ([name, flag]) =>
      `  ${`--${name}`.padEnd(14)} ${flag.help} (default ${flag.default === '' ? 'none' : flag.default})`,
  );
}

function givenFlags(command: string, flags: Flags, args: readonly string[]) {
  const names = Object.keys(flags);
  const formerly = Object.values(flags).flatMap((flag) => flag.formerly ?? []);
  const options = Object.fromEntries(
    [...names, ...formerly].map((name) => [name, { type: 'string' as const }]),
  );
  const given: Record<string, string> = {};
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === 'positional') throw flagFault(command, `unexpected argument ${token.value}`);
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    if (options[name] === undefined) {
      const remedy = suggestion(name, names, (known) => `--${known}`);
      throw flagFault(command, `unknown option ${rawName}: ${remedy}`);
    }
    if (value === undefined) throw flagFault(command, `${rawName}: needs a value`);
    given[name] = value;
  }
  return given;
}

function checkedValue(command: string, name: string, flag: NumberFlag | TextFlag, text: string) {
  if (!('min' in flag)) {
    if (flag.choices === undefined || flag.choices.includes(text)) return text;
    throw flagFault(command, `--${name} ${text}: must be one of ${flag.choices.join(', ')}`);
  }
  const value = text.trim() === '' ? Number.NaN : Number(text);
  const isRight = flag.isWhole ? Number.isInteger(value) : Number.isFinite(value);
  if (isRight && value >= flag.min && value <= flag.max) return value;
  const what = flag.isWhole ? 'a whole number' : 'a number';
  throw flagFault(command, `--${name} ${text}: must be ${what} from ${flag.min} to ${flag.max}`);
}
