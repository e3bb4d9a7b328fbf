import { Scanner } from '../../../src/schema/compile/scanner.js';
import { Judge } from '../../../src/schema/judge/judge.js';
import type { Dialect, Schema } from '../../../src/schema/judge/subschemas.js';

export const BODY_DEPTH_MAX = 64;

/** A schema with its scanner, and the judge that the scanner must not contradict. */
export class CompiledSchema {
  readonly scanner: Scanner;
  readonly #judge: Judge;

  constructor(schema: Schema, dialect: Dialect = '2020-12') {
    const contract = { source: '', schema, dialect, digest: '' };
    const judge = new Judge(contract, BODY_DEPTH_MAX);
    this.#judge = judge;
    const part = (pointer: string) => judge.part(pointer);
    this.scanner = new Scanner({ schema, bodyDepthMax: BODY_DEPTH_MAX, part });
  }

  /** The keywords that are left to ajv. */
  get leftTo(): string[] {
    return this.scanner.leftovers.map(({ keyword }) => keyword);
  }

  /** Whether the scanner alone finds the body valid. @throws Error the judge does not */
  scan(body: string | Uint8Array): boolean {
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
    const isValid = this.scanner.scan(bytes, 0, bytes.length);
    if (isValid && !this.#judge.accepts(bytes, 0, bytes.length)) {
      throw new Error(`the judge says ${this.#judge.fault}: ${body}`);
    }
    return isValid;
  }

  /** Whether the judge finds the body valid. */
  judge(body: string): boolean {
    const bytes = new TextEncoder().encode(body);
    return this.#judge.accepts(bytes, 0, bytes.length);
  }
}
