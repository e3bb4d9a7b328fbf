/** Strings of JSON as bytes. All functions take `end`, the end of the body, and read nothing behind it. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** From the byte after an opening quote: the offset after the closing quote, or -1. */
export function text(b: Uint8Array, at: number, end: number): number {
  while (at < end) {
    const c = b[at]!;
    // Lower-case letters first, because they are the most frequent.
    if (c > 0x5c ? c > 0x7f : c < 0x20 || c === QUOTE || c === BACKSLASH) break;
    at++;
  }
  return at < end && b[at] === QUOTE ? at + 1 : textBeyondAscii(b, at, end);
}

/** The same for a string that has characters beyond ASCII, or escapes. */
function textBeyondAscii(b: Uint8Array, at: number, end: number): number {
  while (at < end) {
    const c = b[at]!;
    if (c < 0x80) {
      if (c === QUOTE) return at + 1;
      if (c < 0x20) return -1;
      at = c === BACKSLASH ? afterEscape(b, at, end) : at + 1;
    } else {
      at = afterCharacter(b, at, end);
    }
    if (at < 0) return -1;
  }
  return -1;
}

/** The offset after the escape at `at`, or -1. */
function afterEscape(b: Uint8Array, at: number, end: number): number {
  if (at + 1 >= end) return -1;
  const c = b[at + 1]!;
  if (c !== 0x75) return isShortEscape(c) ? at + 2 : -1;
  if (at + 6 > end) return -1;
  for (let i = at + 2; i < at + 6; i++) if (!isHex(b[i]!)) return -1;
  return at + 6;
}

/** `"`, `\`, `/`, b, f, n, r, t. */
function isShortEscape(c: number): boolean {
  return (
    c === QUOTE ||
    c === BACKSLASH ||
    c === 0x2f ||
    c === 0x62 ||
    c === 0x66 ||
    c === 0x6e ||
    c === 0x72 ||
    c === 0x74
  );
}

function isHex(c: number): boolean {
  return (c >= 0x30 && c <= 0x39) || ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x66);
}

/**
 * The offset after the character at `at`, which is not ASCII, or -1. The Unicode Standard, table 3-7, "Well-Formed UTF-8
 * Byte Sequences": no overlong forms, no surrogates, nothing above U+10FFFF.
 */
export function afterCharacter(b: Uint8Array, at: number, end: number): number {
  const lead = b[at]!;
  if (lead < 0xc2 || at + 1 >= end) return -1;
  const second = b[at + 1]!;
  if (lead < 0xe0) return (second & 0xc0) === 0x80 ? at + 2 : -1;
  if (at + 2 >= end || (b[at + 2]! & 0xc0) !== 0x80) return -1;
  if (lead < 0xf0) {
    // Lower is overlong, higher is a surrogate.
    const isFormed =
      second >= (lead === 0xe0 ? 0xa0 : 0x80) && second <= (lead === 0xed ? 0x9f : 0xbf);
    return isFormed ? at + 3 : -1;
  }
  if (lead > 0xf4 || at + 3 >= end || (b[at + 3]! & 0xc0) !== 0x80) return -1;
  const isFormed =
    second >= (lead === 0xf0 ? 0x90 : 0x80) && second <= (lead === 0xf4 ? 0x8f : 0xbf);
  return isFormed ? at + 4 : -1;
}

/**
 * Whether the string in `b[start, end)`, without quotes, has `least` to `most` code points. It must be valid. As in
 * JavaScript, a surrogate without its other half counts as one.
 */
export function hasLength(
  b: Uint8Array,
  start: number,
  end: number,
  least: number,
  most: number,
): boolean {
  let points = 0;
  let wasHigh = false;
  for (let at = start; at < end; at++) {
    const c = b[at]!;
    if (c === BACKSLASH) {
      const code = b[at + 1] === 0x75 ? codeUnit(b, at + 2) : 0;
      at += b[at + 1] === 0x75 ? 5 : 1;
      const isLow = code >= 0xdc00 && code <= 0xdfff;
      if (!(wasHigh && isLow)) points++;
      wasHigh = code >= 0xd800 && code <= 0xdbff;
    } else if ((c & 0xc0) !== 0x80) {
      points++;
      wasHigh = false;
    }
  }
  return points >= least && points <= most;
}

/** The number of four hexadecimal digits; -1 if they are not. */
export function codeUnit(b: Uint8Array, at: number): number {
  let unit = 0;
  for (let i = at; i < at + 4; i++) {
    const c = b[i]!;
    if (!isHex(c)) return -1;
    unit = unit * 16 + (c <= 0x39 ? c - 0x30 : (c | 0x20) - 0x57);
  }
  return unit;
}
