import type { BodyValidator } from '../model/stages.js';
import { CompactLine, FIXED_BYTES } from './compact-line.js';
import { ASK, faultTexts, VALID } from './faults.js';
import { OrderScanner } from './scanner.js';
import { SlowPath } from './slow-path.js';

const NOTHING = new Uint8Array(0);

/**
 * Validates bodies one after another: by the scanner, and by the slow path if the scanner cannot decide. One object per
 * thread; it keeps a reference to the last body.
 *
 * Always pass a plain Uint8Array to `validate`, and always the same class of array to `writeTo`, which keeps both fast.
 */
export class OrderValidator implements BodyValidator {
  /** Bytes that `writeTo` will write; 0 after a fault. */
  compactLength = 0;

  readonly #scanner = new OrderScanner();
  readonly #slowPath = new SlowPath();
  readonly #line = new CompactLine();
  readonly #encoder = new TextEncoder();
  #bytes: Uint8Array = NOTHING;
  #scanned = false;

  /** `bytes` must not change until `writeTo` was called. */
  validate(bytes: Uint8Array, start: number, end: number): number {
    const scanner = this.#scanner;
    const verdict = scanner.scan(bytes, start, end);
    this.#scanned = verdict !== ASK;
    if (verdict === VALID) {
      this.#bytes = bytes;
      const spans = scanner.spans;
      this.compactLength =
        FIXED_BYTES +
        (spans.productIdEnd - spans.productIdStart) +
        (spans.countEnd - spans.countStart) +
        (spans.usernameEnd - spans.usernameStart);
      return VALID;
    }
    this.#bytes = NOTHING;
    this.compactLength = 0;
    return verdict === ASK ? this.#ask(bytes, start, end) : verdict;
  }

  /** @throws RangeError there is no valid order, or it does not fit: a frame must not be truncated */
  writeTo(target: Uint8Array, offset: number): number {
    const size = this.compactLength;
    if (size === 0 || offset + size > target.length) throw new RangeError('no room for an order');
    if (this.#scanned) return this.#line.write(target, offset, this.#bytes, this.#scanner.spans);
    this.#encoder.encodeInto(this.#slowPath.text, target.subarray(offset));
    target[offset + size - 1] = 0x0a;
    return offset + size;
  }

  faultText(code: number): string {
    return faultTexts[code];
  }

  #ask(bytes: Uint8Array, start: number, end: number): number {
    const verdict = this.#slowPath.judge(bytes, start, end);
    if (verdict === VALID) this.compactLength = Buffer.byteLength(this.#slowPath.text) + 1;
    return verdict;
  }
}
