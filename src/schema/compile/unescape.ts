import { codeUnit } from './text.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Writes a string without its escapes to `target`, as UTF-8, and a quote behind it: what a client could have sent instead.
 *
 * @param at of the byte after the opening quote
 * @returns the offset after the closing quote; -1 if it is too long, broken, or cannot be sent without escapes: with a quote,
 *   a backslash, a control character or half a surrogate pair
 */
export function writeUnescaped(b: Uint8Array, at: number, end: number, target: Uint8Array): number {
  let to = 0;
  while (at < end && to + 4 < target.length) {
    const c = b[at]!;
    if (c === QUOTE) {
      target[to] = QUOTE;
      return at + 1;
    }
    if (c !== BACKSLASH) {
      target[to++] = c;
      at++;
    } else if (b[at + 1] === 0x2f) {
      target[to++] = 0x2f;
      at += 2;
    } else {
      const point = pointOf(b, at, end);
      if (point < 0x20 || point === QUOTE || point === BACKSLASH) return -1;
      to = writePoint(point, target, to);
      at += point > 0xffff ? 12 : 6;
    }
  }
  return -1;
}

/** The code point of `\uXXXX`, or of two of them that are a surrogate pair; -1 if there is none. */
function pointOf(b: Uint8Array, at: number, end: number): number {
  const unit = unitOf(b, at, end);
  if (unit < 0xd800 || unit > 0xdfff) return unit;
  const low = unitOf(b, at + 6, end);
  if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff) return -1;
  return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

function unitOf(b: Uint8Array, at: number, end: number): number {
  if (at + 6 > end || b[at] !== BACKSLASH || b[at + 1] !== 0x75) return -1;
  return codeUnit(b, at + 2);
}

function writePoint(point: number, target: Uint8Array, to: number): number {
  if (point < 0x80) {
    target[to++] = point;
  } else if (point < 0x800) {
    target[to++] = 0xc0 | (point >> 6);
    target[to++] = 0x80 | (point & 0x3f);
  } else if (point < 0x10000) {
    target[to++] = 0xe0 | (point >> 12);
    target[to++] = 0x80 | ((point >> 6) & 0x3f);
    target[to++] = 0x80 | (point & 0x3f);
  } else {
    target[to++] = 0xf0 | (point >> 18);
    target[to++] = 0x80 | ((point >> 12) & 0x3f);
    target[to++] = 0x80 | ((point >> 6) & 0x3f);
    target[to++] = 0x80 | (point & 0x3f);
  }
  return to;
}
