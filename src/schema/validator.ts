import type { BodyValidator } from '../model/stages.js';
import { canonicalJson } from './canonical.js';
import { copyCompact, spacesIn } from './compact.js';
import { CompactLine, FIXED_BYTES } from './compact-line.js';
import { type Contract, orderContract } from './contract.js';
import { ASK, faultTexts, VALID } from './faults.js';
import { Judge } from './judge/judge.js';
import { OrderScanner } from './scanner.js';

const NOTHING = new Uint8Array(0);

/** Most arrays and objects inside each other, unless the caller has another bound. */
const BODY_DEPTH_MAX = 64;

/**
 * A validator of the contract. It is not shared: between `validate` and the commit it must keep the same order.
 *
 * @param bodyDepthMax most arrays and objects inside each other in a body
 */
export function openValidator(contract: Contract, bodyDepthMax = BODY_DEPTH_MAX): BodyValidator {
  const scanner = contract.digest === orderContract.digest ? new OrderScanner() : null;
  return new ContractValidator(scanner, new Judge(contract, bodyDepthMax));
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

  readonly #scanner: OrderScanner | null;
  readonly #judge: Judge;
  readonly #line = new CompactLine();
  #bytes: Uint8Array = NOTHING;
  #start = 0;
  #end = 0;
  #scanned = false;

  constructor(scanner: OrderScanner | null, judge: Judge) {
    this.#scanner = scanner;
    this.#judge = judge;
  }

  /** `bytes` must not change until `writeTo` was called. */
  validate(bytes: Uint8Array, start: number, end: number): boolean {
    const scanner = this.#scanner;
    if (scanner === null) return this.#ask(bytes, start, end);
    const verdict = scanner.scan(bytes, start, end);
    if (verdict === VALID) {
      this.#scanned = true;
      this.#bytes = bytes;
      const spans = scanner.spans;
      this.compactLength =
        FIXED_BYTES +
        (spans.productIdEnd - spans.productIdStart) +
        (spans.countEnd - spans.countStart) +
        (spans.usernameEnd - spans.usernameStart);
      return true;
    }
    return verdict === ASK ? this.#ask(bytes, start, end) : this.#refuse(faultTexts[verdict]!);
  }

  /** @throws RangeError there is no valid order, or it does not fit: a frame must not be truncated */
  writeTo(target: Uint8Array, offset: number): number {
    const size = this.compactLength;
    if (size === 0 || offset + size > target.length) throw new RangeError('no room for an order');
    if (this.#scanned) return this.#line.write(target, offset, this.#bytes, this.#scanner!.spans);
    const end = copyCompact(target, offset, this.#bytes, this.#start, this.#end);
    target[end] = 0x0a;
    return end + 1;
  }

  canonicalForm(): Uint8Array | null {
    if (this.#scanned) return null;
    const text = Buffer.from(this.#bytes.subarray(this.#start, this.#end)).toString();
    return new TextEncoder().encode(canonicalJson(text));
  }

  #ask(bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.#judge.accepts(bytes, start, end)) return this.#refuse(this.#judge.fault);
    this.#scanned = false;
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.compactLength = end - start - spacesIn(bytes, start, end) + 1;
    return true;
  }

  #refuse(fault: string): boolean {
    this.#bytes = NOTHING;
    this.compactLength = 0;
    this.fault = fault;
    return false;
  }
}
