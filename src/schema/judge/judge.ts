import type { ErrorObject } from 'ajv';
import type { AnyValidateFunction } from 'ajv/dist/core.js';
import type { Contract } from '../contract.js';
import { BoundedAjv } from './bounded-ajv.js';
import { faultOf, faultText } from './fault-text.js';
import { StrictJson } from './strict-json.js';
import { escapedName } from './subschemas.js';

const TOO_DEEP = faultText('', 'depth');

const UNIONS = ['oneOf', 'anyOf'];
/** Most unions inside each other that are looked into for the fault. */
const UNIONS_MAX = 8;

/** They refer to parts of the body, so ajv must not keep them. */
function takeErrors(validator: AnyValidateFunction): readonly ErrorObject[] {
  const errors = validator.errors!;
  validator.errors = null;
  return errors;
}

/**
 * Validates a value that JSON.parse has returned.
 *
 * @param bytes its size as JSON
 */
export type ValueCheck = (value: unknown, bytes: number) => boolean;

/**
 * Decides about any body: strict JSON, then ajv. What it says is the contract; the scanner must never say otherwise, and
 * asks it for everything that the scanner cannot tell. It allocates, and a body that is not JSON costs an exception.
 */
export class Judge {
  /** After a refusal: what is wrong, as in the header `x-invalid`. */
  fault = '';

  readonly #json: StrictJson;
  readonly #contract: Contract;
  #compiled: BoundedAjv | null = null;

  /** @param bodyDepthMax most arrays and objects inside each other */
  constructor(contract: Contract, bodyDepthMax: number) {
    this.#json = new StrictJson(bodyDepthMax);
    this.#contract = contract;
  }

  /**
   * Made when it is first asked, which takes about 50 ms once, most of it to load ajv: a thread whose bodies are all valid does without.
   *
   * @throws Error ajv cannot compile the schema: never after `loadContract`
   */
  get #ajv(): BoundedAjv {
    const { dialect, schema } = this.#contract;
    this.#compiled ??= new BoundedAjv(dialect, schema);
    return this.#compiled;
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
    const ajv = this.#ajv;
    const isValid = ajv.whole;
    ajv.steps.begin(end - start);
    try {
      if (isValid(value)) return true;
    } catch {
      // A recursive schema, or a regular expression with a deep stack: what comes to no end is refused.
      this.fault = TOO_DEEP;
      return false;
    }
    this.fault = this.#faultOf(takeErrors(isValid), '', UNIONS_MAX);
    return false;
  }

  /** @param unions how many unions inside each other are looked into */
  #faultOf(errors: readonly ErrorObject[], instancePath: string, unions: number): string {
    const union = errors.findLast(({ keyword }) => keyword !== 'if')!;
    if (unions === 0 || !UNIONS.includes(union.keyword)) return faultOf(errors[0]!, instancePath);
    // More than one alternative of `oneOf` is valid: none has a fault.
    if (union.params.passingSchemas) return faultOf(union, instancePath);
    const { alternatives } = this.#ajv;
    const tag = alternatives.unknownTag(union);
    if (tag !== null) {
      const at = `${instancePath}${union.instancePath}/${escapedName(tag.name)}`;
      return faultText(at, tag.keyword);
    }
    const meant = alternatives.meantBy(union);
    if (meant === null) return faultOf(errors[0]!, instancePath);
    try {
      const isValid = this.#ajv.validator(meant.pointer);
      if (isValid(meant.value)) return faultOf(errors[0]!, instancePath);
      return this.#faultOf(takeErrors(isValid), instancePath + meant.instancePath, unions - 1);
    } catch {
      return faultOf(errors[0]!, instancePath);
    }
  }

  /**
   * The check of one subschema, with its references resolved from where it stands. It is false too for a value with which
   * ajv comes to no end.
   *
   * @param pointer its JSON pointer in the schema, '' for the schema itself
   */
  part(pointer: string): ValueCheck {
    const { steps } = this.#ajv;
    const isValid = this.#ajv.validator(pointer);
    return (value, bytes) => {
      steps.begin(bytes);
      try {
        return isValid(value) as boolean;
      } catch {
        return false;
      }
    };
  }
}
