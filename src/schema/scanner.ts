import { USERNAME_CODE_POINTS_MAX } from '../model/order.js';
import { OrderSpans, scanCompact } from './compact-scan.js';
import { ASK, FAULT, VALID } from './faults.js';
import {
  broken,
  brokenString,
  codePoints,
  endOfPlain,
  endOfPrintable,
  endOfScalar,
  isDigit,
  skipSpace,
} from './tokens.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Instead of an offset: the result is known. */
const STOP = -1;

/** The members of an order as bits, so that a set of members is a number. */
const PRODUCT_ID = 1;
const COUNT = 2;
const USERNAME = 4;
const UNKNOWN = 8;

const PRODUCT_ID_NAME = new TextEncoder().encode('product_id');
const COUNT_NAME = new TextEncoder().encode('count');
const USERNAME_NAME = new TextEncoder().encode('username');

const ALL_REQUIRED = PRODUCT_ID | COUNT | USERNAME;

/** Greater than every fault code, because the minimum of several codes is reported. */
const NO_FAULT = 0xff;

/** The member whose name is `bytes[start, end)`. */
function memberNamed(bytes: Uint8Array, start: number, end: number): number {
  const size = end - start;
  if (size === PRODUCT_ID_NAME.length && matches(PRODUCT_ID_NAME, bytes, start)) return PRODUCT_ID;
  if (size === COUNT_NAME.length && matches(COUNT_NAME, bytes, start)) return COUNT;
  return size === USERNAME_NAME.length && matches(USERNAME_NAME, bytes, start) ? USERNAME : UNKNOWN;
}

function matches(name: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name[i]) return false;
  return true;
}

/** The pattern of `product_id` and `count`: "0" to "100" without sign or leading zeros. */
function isPercent(bytes: Uint8Array, start: number, end: number): boolean {
  const size = end - start;
  if (size === 0 || size > 3) return false;
  const c = bytes[start];
  if (size === 1) return isDigit(c);
  if (size === 2) return c !== 0x30 && isDigit(c) && isDigit(bytes[start + 1]);
  return c === 0x31 && bytes[start + 1] === 0x30 && bytes[start + 2] === 0x30;
}

/** The fault of a username with this number of code points and without control characters. */
function usernameFault(codePoints: number): number {
  if (codePoints > USERNAME_CODE_POINTS_MAX) return FAULT.usernameMaxLength;
  return codePoints === 0 ? FAULT.usernameMinLength : NO_FAULT;
}

/** The fault of a member whose value is not a string. Unknown members are reported by `namesFault`. */
function typeFault(member: number): number {
  if (member === PRODUCT_ID) return FAULT.productIdType;
  if (member === COUNT) return FAULT.countType;
  return member === USERNAME ? FAULT.usernameType : NO_FAULT;
}

/** The fault of a set of members: the first missing one, else an additional one. */
function namesFault(seen: number): number {
  if (seen === ALL_REQUIRED) return NO_FAULT;
  if ((seen & PRODUCT_ID) === 0) return FAULT.requiredProductId;
  if ((seen & COUNT) === 0) return FAULT.requiredCount;
  if ((seen & USERNAME) === 0) return FAULT.requiredUsername;
  return FAULT.additionalProperties;
}

/**
 * Checks a body in one pass over its bytes, in place and without allocation. It handles objects of plain ASCII strings,
 * integers and literals, and usernames in any script. It reports a fault only if the judge would report the same,
 * and returns `ASK` for everything else.
 *
 * Of several faults the lowest code is reported, and invalid JSON takes precedence over the rules. So the scanner reads
 * to the end of the body and keeps the lowest code so far. All bytes that it has passed are well-formed UTF-8.
 */
export class OrderScanner {
  /** Set by `VALID`. */
  readonly spans = new OrderSpans();

  #seen = 0;
  #fault = NO_FAULT;
  #verdict: number = VALID;

  /**
   * `VALID`, `ASK`, or the fault code of the body `bytes[start, end)`. Always pass the same class of array (Uint8Array,
   * never a Buffer): with a second class the compiled code checks the class at each byte.
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

  /** Reads `"name": value`. Returns the offset after it, or `STOP`. */
  #member(bytes: Uint8Array, at: number, end: number): number {
    if (at === end || bytes[at] !== QUOTE) return this.#stop(broken(bytes, at, end));
    const nameStart = at + 1;
    at = endOfPlain(bytes, nameStart, end);
    if (at === end || bytes[at] !== QUOTE) return this.#stop(brokenString(bytes, at, end));
    const member = memberNamed(bytes, nameStart, at);
    if ((this.#seen & member) !== 0) {
      // Only the judge can compare two unknown names.
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

  /** Reads the string value of `member`. Returns the offset after its closing quote, or `STOP`. */
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

  /** Reads a value of `member` that is not a string. Returns the offset after it, or `STOP`. */
  #other(bytes: Uint8Array, start: number, end: number, member: number): number {
    const at = endOfScalar(bytes, start, end);
    if (at === ASK) return this.#stop(ASK);
    const fault = typeFault(member);
    if (fault < this.#fault) this.#fault = fault;
    return at;
  }

  /** The result after the closing brace, where only white space may follow. */
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
