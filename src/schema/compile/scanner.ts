import { Emitter } from './emit.js';
import { matchAny, matchRuns, matchSteps } from './match.js';
import { afterNumber, nearNumber, number } from './number.js';
import { part } from './part.js';
import { type Leftover, SchemaReader } from './read-schema.js';
import type { Schema } from './references.js';
import { afterWord, peek, skip } from './skip.js';
import { Source } from './source.js';
import { ScanState, space } from './state.js';
import { hasLength, text } from './text.js';
import type { ValueCheck } from './writer.js';

/** Reads a value: the offset after it, or -1. */
type Read = (b: Uint8Array, at: number, end: number, depth: number) => number;

const OPEN_OBJECT = 0x7b;
const OPEN_ARRAY = 0x5b;
const CLOSE_OBJECT = 0x7d;
const CLOSE_ARRAY = 0x5d;

export interface ScannerParts {
  readonly schema: Schema;
  readonly bodyDepthMax: number;
  /** The check of ajv for the schema at a JSON pointer. */
  readonly part: (pointer: string) => ValueCheck;
}

/** Size of a value of the schema, such as one of `enum`, for the bound on the time of its check. */
const SCHEMA_VALUE_BYTES = 1024 * 1024;

/** Deeper bodies are left to the judge, because the code recurses where the schema does. */
const DEPTH_MAX = 256;

/** Finds valid bodies by code that is made for one schema. It never takes an invalid body for valid. */
export class Scanner {
  /** What ajv checks. */
  readonly leftovers: readonly Leftover[];
  /** After `scan` returned true: the offset behind the last bracket. */
  contentEnd = 0;
  readonly #state: ScanState;
  readonly #read: Read | null;
  readonly #usesNames: boolean;

  /** @throws OperatorFault the code would be too large */
  constructor({ schema, bodyDepthMax, part: partOf }: ScannerParts) {
    const depthMax = Math.min(bodyDepthMax, DEPTH_MAX);
    this.#state = new ScanState(depthMax);
    const reader = new SchemaReader(schema, (pointer, value) =>
      partOf(pointer)(value, SCHEMA_VALUE_BYTES),
    );
    const rules = reader.rules();
    this.leftovers = reader.leftovers;
    const emitter = new Emitter(new Source(), depthMax, partOf);
    const name = rules.kind === 'part' ? null : emitter.functionOf([rules]);
    this.#usesNames = emitter.usesNames;
    this.#read = name === null ? null : this.#compile(emitter.source, name);
  }

  /** After `scan` returned true: the bytes of white space in front of `contentEnd`, outside of strings. */
  get spaces(): number {
    return this.#state.spaces;
  }

  /** Whether the body `b[start, end)` is valid. False if it is not, or if only the judge can tell. */
  scan(b: Uint8Array, start: number, end: number): boolean {
    const read = this.#read;
    if (read === null) return false;
    const s = this.#state;
    s.spaces = 0;
    s.bitsUsed = 0;
    if (this.#usesNames) s.names.clear();
    if (start === end) return false;
    // Bodies end with a bracket. So all code behind here can read the byte at `at` as long as a bracket is open.
    let last = end - 1;
    let c = b[last]!;
    while (isSpace(c) && last > start) c = b[--last]!;
    if (c !== CLOSE_OBJECT && c !== CLOSE_ARRAY) return false;
    const after = last + 1;
    let at = start;
    c = b[at]!;
    if (c <= 0x20) {
      at = space(s, b, at);
      c = b[at]!;
    }
    if (c !== OPEN_OBJECT && c !== OPEN_ARRAY) return false;
    this.contentEnd = after;
    return read(b, at, after, 0) === after;
  }

  #compile(source: Source, name: string): Read {
    const s = this.#state;
    return source.compile(name, { ...RUNTIME, s, value: s.value }) as Read;
  }
}

function isSpace(c: number): boolean {
  return c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09;
}

/** What the code of a scanner calls. */
const RUNTIME = {
  afterNumber,
  afterWord,
  hasLength,
  isWhole,
  matchAny,
  matchRuns,
  matchSteps,
  nearNumber,
  number,
  part,
  peek,
  skip,
  space,
  text,
};

/** Whether ajv takes the quotient of a number and a `multipleOf` for an integer: by parseInt of its digits. */
function isWhole(quotient: number): boolean {
  return quotient === Math.floor(quotient) && quotient < 1e21 && quotient > -1e21;
}
