import type { BodyValidator } from '../model/stages.js';
import { canonicalJson, isCanonical } from './canonical.js';
import { copyBytes, copyCompact, spacesIn } from './compact.js';
import { Scanner } from './compile/scanner.js';
import type { Contract } from './contract.js';
import { Judge } from './judge/judge.js';

const NOTHING = new Uint8Array(0);

export interface ValidatorOptions {
  /** Most arrays and objects inside each other in a body. */
  readonly bodyDepthMax: number;
}

const DEFAULTS: ValidatorOptions = { bodyDepthMax: 64 };

/** A validator of the contract. */
export function openValidator(contract: Contract, options = DEFAULTS): BodyValidator {
  return compileContract(contract, options)();
}

/**
 * Compiles a contract, which takes some ten milliseconds and more for a large schema.
 *
 * @returns opens a validator. All of them share the code, but each is for one user: between `validate` and the commit it must
 *   keep the same order
 * @throws OperatorFault the schema is too large
 */
export function compileContract(contract: Contract, options = DEFAULTS): () => BodyValidator {
  const { bodyDepthMax } = options;
  const judge = new Judge(contract, bodyDepthMax);
  const scanner = new Scanner({
    schema: contract.schema,
    bodyDepthMax,
    part: (pointer) => judge.part(pointer),
  });
  return () => new ContractValidator(scanner, judge);
}

/**
 * Validates bodies one after another: by the scanner, and by the judge if the scanner cannot decide. It keeps a
 * reference to the last body.
 *
 * Always pass a plain Uint8Array to `validate`, and always the same class of array to `writeTo`, which keeps both fast.
 */
class ContractValidator implements BodyValidator {
  /** Bytes that `writeTo` will write; 0 after a fault. */
  compactLength = 0;
  fault = '';

  readonly #scanner: Scanner;
  readonly #judge: Judge;
  #bytes: Uint8Array = NOTHING;
  #start = 0;
  #end = 0;

  constructor(scanner: Scanner, judge: Judge) {
    this.#scanner = scanner;
    this.#judge = judge;
  }

  /** `bytes` must not change until `writeTo` was called. */
  validate(bytes: Uint8Array, start: number, end: number): boolean {
    const scanner = this.#scanner;
    if (!scanner.scan(bytes, start, end)) return this.#ask(bytes, start, end);
    const { contentEnd } = scanner;
    this.#bytes = bytes;
    this.#start = start;
    this.#end = contentEnd;
    this.compactLength = contentEnd - start - scanner.spaces + 1;
    return true;
  }

  /** @throws RangeError there is no valid order, or it does not fit: a frame must not be truncated */
  writeTo(target: Uint8Array, offset: number): number {
    const size = this.compactLength;
    const after = offset + size;
    if (size === 0 || after > target.length) throw new RangeError('no room for an order');
    const start = this.#start;
    const end = this.#end;
    if (end - start === size - 1) copyBytes(target, offset, this.#bytes, start, end);
    else copyCompact(target, offset, this.#bytes, start, end);
    target[after - 1] = 0x0a;
    return after;
  }

  canonicalForm(): Uint8Array | null {
    if (isCanonical(this.#bytes, this.#start, this.#end)) return null;
    const text = Buffer.from(this.#bytes.subarray(this.#start, this.#end)).toString();
    return new TextEncoder().encode(canonicalJson(text));
  }

  #ask(bytes: Uint8Array, start: number, end: number): boolean {
    const judge = this.#judge;
    if (!judge.accepts(bytes, start, end)) {
      this.#bytes = NOTHING;
      this.compactLength = 0;
      this.fault = judge.fault;
      return false;
    }
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.compactLength = end - start - spacesIn(bytes, start, end) + 1;
    return true;
  }
}
