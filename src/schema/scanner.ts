import { scanCompact } from './compact-scan.js';
import { ASK, FAULT, VALID } from './faults.js';
import {
  COUNT,
  isPercent,
  memberNamed,
  NO_FAULT,
  namesFault,
  PRODUCT_ID,
  typeFault,
  UNKNOWN,
  USERNAME,
  usernameFault,
} from './members.js';
import { OrderSpans } from './spans.js';
import { broken, brokenString, endOfPlain, endOfScalar, skipSpace } from './tokens.js';
import { codePoints, endOfPrintable } from './utf8.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Instead of an offset: the verdict is known. */
const STOP = -1;

/**
 * Judges a body in one pass over its bytes, in place, without allocating. It knows objects of plain
 * ASCII strings, integers and literals, and usernames in any script. It names a fault only where the slow path would name the
 * same one, and says `ASK` of all else.
 *
 * Of several faults the lowest code is named, and broken JSON comes before a broken rule: so it reads
 * on to the end of the body with the lowest so far in hand. All that it has passed is well-formed UTF-8.
 */
export class OrderScanner {
  /** Set by `VALID`. */
  readonly spans = new OrderSpans();

  #seen = 0;
  #fault = NO_FAULT;
  #verdict: number = VALID;

  /**
   * `VALID`, `ASK`, or the fault code of the body `bytes[start, end)`. Pass one kind of array at
   * every call (plain Uint8Array, never now and then a Buffer): a second kind makes the compiled
   * code look at the kind at each byte.
   */
  scan(bytes: Uint8Array, start: number, end: number): number {
    if (scanCompact(bytes, start, end, this.spans)) return VALID;
    let at = skipSpace(bytes, start, end);
    if (at === end) return FAULT.json;
    if (bytes[at] !== OPEN) return ASK;
    at = skipSpace(bytes, at + 1, end);
    this.#seen = 0;
    this.#fault = NO_FAULT;
    if (at < end && bytes[at] === CLOSE) return this.#closed(bytes, at + 1, end);
    for (;;) {
      at = this.#member(bytes, at, end);
      if (at === STOP) return this.#verdict;
      at = skipSpace(bytes, at, end);
      if (at === end) return FAULT.json;
      const c = bytes[at];
      if (c === CLOSE) return this.#closed(bytes, at + 1, end);
      if (c !== COMMA) return broken(bytes, at, end);
      at = skipSpace(bytes, at + 1, end);
    }
  }

  /** Reads `"name": value`; the offset behind it, or `STOP`. */
  #member(bytes: Uint8Array, at: number, end: number): number {
    if (at === end || bytes[at] !== QUOTE) return this.#stop(broken(bytes, at, end));
    const nameStart = at + 1;
    at = endOfPlain(bytes, nameStart, end);
    if (at === end || bytes[at] !== QUOTE) return this.#stop(brokenString(bytes, at, end));
    const member = memberNamed(bytes, nameStart, at);
    if ((this.#seen & member) !== 0) {
      // Of two unknown names only the slow path can tell whether they are the same one.
      if (member === UNKNOWN) return this.#stop(ASK);
      this.#fault = FAULT.duplicate;
    }
    this.#seen |= member;

    at = skipSpace(bytes, at + 1, end);
    if (at === end || bytes[at] !== COLON) return this.#stop(broken(bytes, at, end));
    at = skipSpace(bytes, at + 1, end);
    if (at === end) return this.#stop(FAULT.json);
    return bytes[at] === QUOTE
      ? this.#string(bytes, at + 1, end, member)
      : this.#other(bytes, at, end, member);
  }

  /** Reads the string value of `member`; the offset behind its quote, or `STOP`. */
  #string(bytes: Uint8Array, start: number, end: number, member: number): number {
    let at = endOfPlain(bytes, start, end);
    const isAscii = at === end || bytes[at] < 0x80;
    if (!isAscii && member === USERNAME) at = endOfPrintable(bytes, at, end);
    if (at === end || bytes[at] !== QUOTE) return this.#stop(brokenString(bytes, at, end));
    let fault: number = NO_FAULT;
    if (member === PRODUCT_ID) {
      this.spans.productIdStart = start;
      this.spans.productIdEnd = at;
      if (!isPercent(bytes, start, at)) fault = FAULT.productIdPattern;
    } else if (member === COUNT) {
      this.spans.countStart = start;
      this.spans.countEnd = at;
      if (!isPercent(bytes, start, at)) fault = FAULT.countPattern;
    } else if (member === USERNAME) {
      this.spans.usernameStart = start;
      this.spans.usernameEnd = at;
      fault = usernameFault(isAscii ? at - start : codePoints(bytes, start, at));
    }
    if (fault < this.#fault) this.#fault = fault;
    return at + 1;
  }

  /** Reads a value of `member` that is no string; the offset behind it, or `STOP`. */
  #other(bytes: Uint8Array, start: number, end: number, member: number): number {
    const at = endOfScalar(bytes, start, end);
    if (at === ASK) return this.#stop(ASK);
    const fault = typeFault(member);
    if (fault < this.#fault) this.#fault = fault;
    return at;
  }

  /** The verdict behind the closing brace, where only white space may follow. */
  #closed(bytes: Uint8Array, at: number, end: number): number {
    at = skipSpace(bytes, at, end);
    if (at !== end) return broken(bytes, at, end);
    const fault = Math.min(this.#fault, namesFault(this.#seen));
    return fault === NO_FAULT ? VALID : fault;
  }

  #stop(verdict: number): number {
    this.#verdict = verdict;
    return STOP;
  }
}
