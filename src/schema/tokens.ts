import { ASK, FAULT } from './faults.js';

/** The first byte at or after `at` that is not JSON white space, or `end`. */
export function skipSpace(bytes: Uint8Array, at: number, end: number): number {
  while (at < end) {
    const c = bytes[at];
    if (c > 0x20 || (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09)) break;
    at++;
  }
  return at;
}

/**
 * From inside a string: where its closing quote stands, or the first byte that makes it more than
 * a plain one (backslash, control, DEL, not ASCII), or `end`.
 */
export function endOfPlain(bytes: Uint8Array, at: number, end: number): number {
  while (at < end) {
    const c = bytes[at];
    // Lower-case letters come first: they are what names and usernames are made of.
    if (c > 0x5c ? c > 0x7e : c < 0x20 || c === 0x22 || c === 0x5c) break;
    at++;
  }
  return at;
}

/**
 * The verdict where a string ended in anything but its quote. A raw control character or the end of
 * the body is broken JSON whatever comes before; the rest may yet be a fine string.
 */
export function brokenString(bytes: Uint8Array, at: number, end: number): number {
  return at === end || bytes[at] < 0x20 ? broken(bytes, at, end) : ASK;
}

/**
 * The verdict where no JSON text can go on, all before `at` being well-formed UTF-8: broken JSON, unless the rest
 * might not be UTF-8, which would have precedence.
 */
export function broken(bytes: Uint8Array, at: number, end: number): number {
  while (at < end) if (bytes[at++] > 0x7f) return ASK;
  return FAULT.json;
}

/** The offset behind the number or literal at `at`; `ASK` where there is none that it knows. */
export function endOfScalar(bytes: Uint8Array, at: number, end: number): number {
  const c = bytes[at];
  if (c === 0x74) return endOfLiteral(bytes, at, end, 'true');
  if (c === 0x66) return endOfLiteral(bytes, at, end, 'false');
  if (c === 0x6e) return endOfLiteral(bytes, at, end, 'null');
  return endOfNumber(bytes, at, end);
}

function endOfLiteral(bytes: Uint8Array, at: number, end: number, literal: string): number {
  if (end - at < literal.length) return ASK;
  for (let i = 0; i < literal.length; i++) {
    if (bytes[at + i] !== literal.charCodeAt(i)) return ASK;
  }
  return at + literal.length;
}

/** Integers only; what a fraction or an exponent leaves behind is for the slow path to judge. */
function endOfNumber(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] === 0x2d) at++;
  const digits = at;
  while (at < end && isDigit(bytes[at])) at++;
  if (at === digits) return ASK;
  // A leading zero ends the number: the digit behind it is out of place.
  if (bytes[digits] === 0x30) at = digits + 1;
  return at < end && isFractional(bytes[at]) ? ASK : at;
}

export function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}

/** `.`, `E`, `e`. */
function isFractional(c: number): boolean {
  return c === 0x2e || c === 0x45 || c === 0x65;
}
