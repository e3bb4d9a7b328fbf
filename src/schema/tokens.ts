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
 * From inside a string: the offset of its closing quote, or of the first byte that is not plain (backslash, control
 * character, DEL, not ASCII), or `end`.
 */
export function endOfPlain(bytes: Uint8Array, at: number, end: number): number {
  while (at < end) {
    const c = bytes[at];
    // Lower-case letters first, because they are the most frequent.
    if (c > 0x5c ? c > 0x7e : c < 0x20 || c === 0x22 || c === 0x5c) break;
    at++;
  }
  return at;
}

/**
 * The result where a string does not end in its quote. A raw control character or the end of the body is invalid JSON
 * in any case; otherwise the string may still be valid.
 */
export function brokenString(bytes: Uint8Array, at: number, end: number): number {
  return at === end || bytes[at] < 0x20 ? broken(bytes, at, end) : ASK;
}

/**
 * The result where no JSON text can continue, if all bytes before `at` are well-formed UTF-8: invalid JSON, unless the
 * rest may not be UTF-8, which takes precedence.
 */
export function broken(bytes: Uint8Array, at: number, end: number): number {
  while (at < end) if (bytes[at++] > 0x7f) return ASK;
  return FAULT.json;
}

/** The offset after the number or literal at `at`; `ASK` if the scanner does not handle it. */
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

/** Integers only; fractions and exponents are left to the judge. */
function endOfNumber(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] === 0x2d) at++;
  const digits = at;
  while (at < end && isDigit(bytes[at])) at++;
  if (at === digits) return ASK;
  // A leading zero ends the number: a digit after it is invalid.
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

/**
 * UTF-8 as the decoder of the judge reads it: The Unicode Standard, table 3-7, "Well-Formed UTF-8 Byte Sequences".
 * No overlong forms, no surrogates, nothing above U+10FFFF.
 */

/**
 * From inside a string: the offset of its closing quote, or of the first byte that is not printable UTF-8 (backslash,
 * control character of C0 or C1, DEL, not well-formed), or `end`.
 */
export function endOfPrintable(bytes: Uint8Array, at: number, end: number): number {
  while (at < end) {
    const c = bytes[at];
    if (c < 0x80) {
      if (c < 0x20 || c === 0x22 || c === 0x5c || c === 0x7f) break;
      at++;
    } else {
      const length = printableBytes(bytes, at, end);
      if (length === 0) break;
      at += length;
    }
  }
  return at;
}

/** The number of code points in well-formed UTF-8: the bytes that are not continuation bytes. */
export function codePoints(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at++) if ((bytes[at] & 0xc0) !== 0x80) count++;
  return count;
}

/** Bytes of the character at `at`, which is not ASCII; 0 if it is invalid or a control character. */
function printableBytes(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at];
  if (lead < 0xc2 || at + 1 >= end) return 0;
  const second = bytes[at + 1];
  // U+0080 to U+009F are the control characters of C1.
  if (lead < 0xe0) return isWithin(second, lead === 0xc2 ? 0xa0 : 0x80, 0xbf) ? 2 : 0;
  if (at + 2 >= end || !isWithin(bytes[at + 2], 0x80, 0xbf)) return 0;
  if (lead < 0xf0) {
    // Lower is overlong, higher is a surrogate.
    return isWithin(second, lead === 0xe0 ? 0xa0 : 0x80, lead === 0xed ? 0x9f : 0xbf) ? 3 : 0;
  }
  if (lead > 0xf4 || at + 3 >= end || !isWithin(bytes[at + 3], 0x80, 0xbf)) return 0;
  return isWithin(second, lead === 0xf0 ? 0x90 : 0x80, lead === 0xf4 ? 0x8f : 0xbf) ? 4 : 0;
}

function isWithin(byte: number, least: number, most: number): boolean {
  return byte >= least && byte <= most;
}
