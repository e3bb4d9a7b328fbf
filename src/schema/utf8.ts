/**
 * Reads UTF-8 as the decoder of the slow path does: The Unicode Standard, table 3-7, "Well-Formed UTF-8 Byte
 * Sequences". No overlong forms, no surrogates, nothing above U+10FFFF.
 */

/**
 * From inside a string: where its closing quote stands, or the first byte that makes it more than a printable one
 * (backslash, control, DEL, a control of C1, not well-formed), or `end`.
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

/** Of well-formed UTF-8: a code point has one byte that is no continuation. */
export function codePoints(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at++) if ((bytes[at] & 0xc0) !== 0x80) count++;
  return count;
}

/** Bytes of the character at `at`, which is not ASCII; 0 where it is none, or a control. */
function printableBytes(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at];
  if (lead < 0xc2 || at + 1 >= end) return 0;
  const second = bytes[at + 1];
  // U+0080 to U+009F are the controls of C1.
  if (lead < 0xe0) return isWithin(second, lead === 0xc2 ? 0xa0 : 0x80, 0xbf) ? 2 : 0;
  if (at + 2 >= end || !isWithin(bytes[at + 2], 0x80, 0xbf)) return 0;
  if (lead < 0xf0) {
    // Below it would be overlong; above it, a surrogate.
    return isWithin(second, lead === 0xe0 ? 0xa0 : 0x80, lead === 0xed ? 0x9f : 0xbf) ? 3 : 0;
  }
  if (lead > 0xf4 || at + 3 >= end || !isWithin(bytes[at + 3], 0x80, 0xbf)) return 0;
  return isWithin(second, lead === 0xf0 ? 0x90 : 0x80, lead === 0xf4 ? 0x8f : 0xbf) ? 4 : 0;
}

function isWithin(byte: number, least: number, most: number): boolean {
  return byte >= least && byte <= most;
}
