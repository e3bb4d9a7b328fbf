import type { Ajv } from 'ajv';
import type { AnyValidateFunction } from 'ajv/dist/core.js';
import type { Contract } from '../contract.js';
import { openAjv } from './ajv.js';
import { faultOf, faultText } from './fault-text.js';
import { StrictJson } from './strict-json.js';

/** The name of the schema in ajv. Local references resolve against the `$id` of the schema, if it has one. */
const NAME = 'contract';

const TOO_DEEP = faultText('', 'depth');

/** Validates a value that JSON.parse has returned. */
export type ValueCheck = (value: unknown) => boolean;

/**
 * Decides about any body: strict JSON, then ajv. What it says is the contract; the scanner must never say otherwise, and
 * asks it for everything that the scanner cannot tell. It allocates, and a body that is not JSON costs an exception.
 */
export class Judge {
  /** After a refusal: what is wrong, as in the header `x-invalid`. */
  fault = '';

  readonly #json: StrictJson;
  readonly #ajv: Ajv;
  readonly #isValid: AnyValidateFunction;

  /**
   * Compiles the schema, which takes some ten milliseconds.
   *
   * @param bodyDepthMax most arrays and objects inside each other
   * @throws Error ajv cannot compile the schema: never after `loadContract`
   */
  constructor(contract: Contract, bodyDepthMax: number) {
    this.#json = new StrictJson(bodyDepthMax);
    this.#ajv = openAjv(contract.dialect, contract.schema).addSchema(contract.schema, NAME);
    this.#isValid = this.#validator('');
  }

  /** Whether the body `bytes[start, end)` is valid. */
  accepts(bytes: Uint8Array, start: number, end: number): boolean {
    const json = this.#json;
    const jsonFault = json.read(bytes.subarray(start, end));
    const { value } = json;
    json.value = undefined;
    if (jsonFault !== '') {
      this.fault = faultText('', jsonFault);
      return false;
    }
    try {
      if (this.#isValid(value)) return true;
    } catch {
      // ajv recurses with a recursive schema, and so do regular expressions: what they cannot finish is refused.
      this.fault = TOO_DEEP;
      return false;
    }
    this.fault = faultOf(this.#isValid.errors!);
    // It refers to parts of the body.
    this.#isValid.errors = null;
    return false;
  }

  /**
   * The check of one subschema, with its references resolved from where it stands.
   *
   * @param pointer its JSON pointer in the schema, '' for the schema itself
   */
  part(pointer: string): ValueCheck {
    const isValid = this.#validator(pointer);
    return (value) => isValid(value) as boolean;
  }

  #validator(pointer: string): AnyValidateFunction {
    const fragment = pointer.split('/').map(encodeURIComponent).join('/');
    const validator = this.#ajv.getSchema(pointer === '' ? NAME : `${NAME}#${fragment}`);
    if (validator === undefined) throw new Error(`the schema has no part ${pointer}`);
    return validator;
  }
}
