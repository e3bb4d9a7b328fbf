import { parseArgs } from 'node:util';
import { EXIT, OperatorFault } from '../src/model/fault.js';

interface Flag {
  readonly fallback: number | string;
  /** For a line of the help. */
  readonly help: string;
}

export interface NumberFlag extends Flag {
  readonly fallback: number;
  readonly min: number;
  readonly max: number;
}

export interface TextFlag extends Flag {
  readonly fallback: string;
}

type Flags<F extends Flag> = Readonly<Record<string, F>>;

/** What a command that is no server was given. All its faults are one line that names the flag and what it takes. */
export class GivenFlags<N extends Flags<NumberFlag>, T extends Flags<TextFlag>> {
  readonly #command: string;
  readonly #numbers: N;
  readonly #texts: T;
  readonly #given: Readonly<Record<string, string | undefined>>;

  /** @throws OperatorFault a flag is unknown */
  constructor(command: string, args: readonly string[], numbers: N, texts: T) {
    this.#command = command;
    this.#numbers = numbers;
    this.#texts = texts;
    const options = Object.fromEntries(
      Object.keys({ ...texts, ...numbers }).map((name) => [name, { type: 'string' as const }]),
    );
    try {
      const { values } = parseArgs({ args: [...args], options, strict: true });
      this.#given = values as Record<string, string | undefined>;
    } catch (error) {
      const [what] = (error as Error).message.split(/\n|\. /);
      throw this.fault(`${what}; forebay ${command} --help lists all`);
    }
  }

  text(name: keyof T & string): string {
    return this.#given[name] ?? this.#texts[name]!.fallback;
  }

  /** @throws OperatorFault it is none, or not in its range */
  number(name: keyof N & string): number {
    return this.#number(name, 'a number', Number.isFinite);
  }

  /** @throws OperatorFault it is none, or not in its range */
  whole(name: keyof N & string): number {
    return this.#number(name, 'a whole number', Number.isInteger);
  }

  fault(message: string): OperatorFault {
    return new OperatorFault(`${this.#command}: ${message}`, EXIT.usage);
  }

  #number(name: keyof N & string, what: string, isOne: (value: number) => boolean): number {
    const { fallback, min, max } = this.#numbers[name]!;
    const text = this.#given[name];
    if (text === undefined) return fallback;
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (isOne(value) && value >= min && value <= max) return value;
    throw this.fault(`--${name} ${text}: ${what}, ${min} to ${max}`);
  }
}

/** A line of help for each. */
export function flagLines(flags: Flags<Flag>): string[] {
  return Object.entries(flags).map(
    ([name, { fallback, help }]) => `  ${`--${name}`.padEnd(14)} ${help} (default ${fallback})`,
  );
}
