/** Numbers of JSON as bytes. They end at the first byte that cannot belong to them; the last byte of a body never can. */

const DOT = 0x2e;
const MINUS = 0x2d;

/** Digits of an integer that a double holds exactly. */
const EXACT_DIGITS = 15;
/** Any number of more digits, without a leading zero, is at least this. */
export const LONG_INTEGER_MIN = 1e15;
/** Longer numbers may be beyond the range of a double. */
const NEAR_DIGITS_MAX = 300;
/** Powers of ten that a double holds exactly. Divided by one of them, an exact integer is rounded correctly. */
const POWERS = Array.from({ length: EXACT_DIGITS + 1 }, (_, power) => 10 ** power);

/**
 * From the first byte of a number: the offset after it, or -1. Writes its value to `value[0]`, as JSON.parse reads it. -1 for
 * a value beyond the range of a double, too.
 */
export function number(b: Uint8Array, at: number, value: Float64Array): number {
  const start = at;
  let c = b[at]!;
  if (c === MINUS) c = b[++at]!;
  const digits = at;
  let whole = 0;
  if (c === 0x30) {
    c = b[++at]!;
  } else {
    if (c < 0x31 || c > 0x39) return -1;
    do {
      whole = whole * 10 + (c - 0x30);
      c = b[++at]!;
    } while (c >= 0x30 && c <= 0x39);
  }
  if (c === DOT || (c | 0x20) === 0x65) return fraction(b, start, at, whole, value);
  if (at - digits > EXACT_DIGITS) return exact(b, start, at, value);
  value[0] = digits === start ? whole : -whole;
  return at;
}

/**
 * The same, but the value of an integer with many digits is only near: it is on the same side of every number below
 * `LONG_INTEGER_MIN`, and whole. Enough for most rules, and faster: ids can have 18 digits.
 */
export function nearNumber(b: Uint8Array, at: number, value: Float64Array): number {
  const start = at;
  let c = b[at]!;
  if (c === MINUS) c = b[++at]!;
  const digits = at;
  let whole = 0;
  if (c === 0x30) {
    c = b[++at]!;
  } else {
    if (c < 0x31 || c > 0x39) return -1;
    do {
      whole = whole * 10 + (c - 0x30);
      c = b[++at]!;
    } while (c >= 0x30 && c <= 0x39);
  }
  if (c === DOT || (c | 0x20) === 0x65) return fraction(b, start, at, whole, value);
  if (at - digits > NEAR_DIGITS_MAX) return exact(b, start, at, value);
  value[0] = digits === start ? whole : -whole;
  return at;
}

/** From after the integer part `whole`, which ends at `at`. */
function fraction(
  b: Uint8Array,
  start: number,
  at: number,
  whole: number,
  value: Float64Array,
): number {
  let c = b[at]!;
  let scaled = whole;
  let places = 0;
  if (c === DOT) {
    c = b[++at]!;
    const digits = at;
    while (c >= 0x30 && c <= 0x39) {
      scaled = scaled * 10 + (c - 0x30);
      c = b[++at]!;
    }
    places = at - digits;
    if (places === 0) return -1;
  }
  if ((c | 0x20) === 0x65) {
    at = afterExponent(b, at);
    return at < 0 ? -1 : exact(b, start, at, value);
  }
  if (at - start > EXACT_DIGITS) return exact(b, start, at, value);
  const rounded = scaled / POWERS[places]!;
  value[0] = b[start] === MINUS ? -rounded : rounded;
  return at;
}

/** Reads `b[start, end)`, which is a number, as JSON.parse does. */
function exact(b: Uint8Array, start: number, end: number, value: Float64Array): number {
  const parsed = Number(ascii(b, start, end));
  value[0] = parsed;
  return Number.isFinite(parsed) ? end : -1;
}

/** From the first byte of a number: the offset after it, or -1, without its value. */
export function afterNumber(b: Uint8Array, at: number): number {
  let c = b[at]!;
  if (c === MINUS) c = b[++at]!;
  if (c === 0x30) {
    c = b[++at]!;
  } else {
    if (c < 0x31 || c > 0x39) return -1;
    do c = b[++at]!;
    while (c >= 0x30 && c <= 0x39);
  }
  if (c === DOT) {
    c = b[++at]!;
    if (c < 0x30 || c > 0x39) return -1;
    do c = b[++at]!;
    while (c >= 0x30 && c <= 0x39);
  }
  return (c | 0x20) === 0x65 ? afterExponent(b, at) : at;
}

/** From the `e`. */
function afterExponent(b: Uint8Array, at: number): number {
  let c = b[++at]!;
  if (c === 0x2b || c === MINUS) c = b[++at]!;
  if (c < 0x30 || c > 0x39) return -1;
  do c = b[++at]!;
  while (c >= 0x30 && c <= 0x39);
  return at;
}

function ascii(b: Uint8Array, start: number, end: number): string {
  let text = '';
  let at = start;
  while (at + 4 <= end) {
    text += String.fromCharCode(b[at]!, b[at + 1]!, b[at + 2]!, b[at + 3]!);
    at += 4;
  }
  while (at < end) text += String.fromCharCode(b[at++]!);
  return text;
}
