import type { Ajv } from 'ajv';
import type { AnyValidateFunction } from 'ajv/dist/core.js';
import { openAjv } from './ajv.js';
import { Alternatives } from './alternatives.js';
import { StepBudget, withSteps } from './steps.js';
import type { Dialect, Schema } from './subschemas.js';

/** The name of the schema in ajv. Local references resolve against the `$id` of the schema, if it has one. */
const NAME = 'contract';

/** ajv for one schema, with bounds. */
export class BoundedAjv {
  readonly steps: StepBudget;
  readonly alternatives: Alternatives;
  /** The validator of the whole schema. */
  readonly whole: AnyValidateFunction;
  readonly #ajv: Ajv;

  /** @throws Error ajv cannot compile the schema */
  constructor(dialect: Dialect, schema: Schema) {
    this.#ajv = openAjv(dialect, schema);
    this.steps = new StepBudget(schema);
    this.steps.addTo(this.#ajv);
    const compiled = withSteps(schema);
    this.alternatives = new Alternatives(compiled);
    this.#ajv.addSchema(compiled, NAME);
    this.whole = this.validator('');
  }

  /**
   * Compiles the schema, or a part of it. Call `steps.begin` before each validation: it throws if ajv comes to no end.
   *
   * @param pointer the JSON pointer of the part, '' for the schema itself
   * @throws Error ajv cannot compile it
   */
  validator(pointer: string): AnyValidateFunction {
    const fragment = pointer.split('/').map(encodeURIComponent).join('/');
    const validator = this.#ajv.getSchema(pointer === '' ? NAME : `${NAME}#${fragment}`);
    if (validator === undefined) throw new Error(`the schema has no part ${pointer}`);
    return validator;
  }
}
