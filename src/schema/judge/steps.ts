import type { Ajv } from 'ajv';
import { type Schema, type SchemaObject, visitSchemas } from './subschemas.js';

/** A keyword in front of each reference. No schema of an operator has it: it is an unknown keyword there. */
const STEP_KEYWORD = 'forebay-step';

/**
 * Bounds how many references ajv follows for one value. If a schema refers to itself more than once for the same member,
 * ajv follows twice as many with each level of the value: 2^64 for a body of 64 levels.
 */
export class StepBudget {
  readonly #perByte: number;
  #left = 0;

  constructor(schema: Schema) {
    this.#perByte = STEPS_PER_BYTE + referencesIn(schema);
  }

  /** Before each validation. @param bytes the size of the value as JSON */
  begin(bytes: number): void {
    this.#left = STEPS_MIN + this.#perByte * bytes;
  }

  /** Adds the keyword, which `withSteps` puts into a schema, as the first that ajv checks. */
  addTo(ajv: Ajv): void {
    ajv.addKeyword({
      keyword: STEP_KEYWORD,
      before: ajv.RULES.rules[0].rules[0].keyword,
      errors: false,
      compile: () => () => {
        this.#left--;
        if (this.#left < 0) throw new RangeError('the schema follows too many references');
        return true;
      },
    });
  }
}

/** Besides one for each reference of the schema: a value without references inside needs no more, as it has two bytes. */
const STEPS_PER_BYTE = 8;
/** About a tenth of a millisecond. */
const STEPS_MIN = 1000;

function isReference(schema: SchemaObject): boolean {
  return '$ref' in schema || '$dynamicRef' in schema;
}

function referencesIn(schema: Schema): number {
  let count = 0;
  visitSchemas(schema, (inner) => {
    if (isReference(inner)) count++;
  });
  return count;
}

/** A copy of a schema, with the keyword in front of each reference. */
export function withSteps(schema: Schema): Schema {
  const copy = structuredClone(schema);
  visitSchemas(copy, (inner) => {
    if (isReference(inner)) Object.assign(inner, { [STEP_KEYWORD]: true });
  });
  return copy;
}
