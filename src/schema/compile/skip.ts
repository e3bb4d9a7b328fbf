import { afterNumber } from './number.js';
import { type ScanState, space } from './state.js';
import { text } from './text.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * From the first byte of any JSON value: the offset after it, or -1 if it is not strict JSON, and in rare cases although it
 * is. It does not recurse.
 *
 * @param depth arrays and objects that are open around the value
 */
export function skip(s: ScanState, b: Uint8Array, at: number, end: number, depth: number): number {
  const { open, depthMax } = s;
  const outside = depth;
  for (;;) {
    let c = b[at]!;
    if (c === QUOTE) {
      at = text(b, at + 1, end);
    } else if (c === OPEN_OBJECT) {
      if (++depth > depthMax) return -1;
      c = b[++at]!;
      if (c <= 0x20) {
        at = space(s, b, at);
        c = b[at]!;
      }
      if (c !== CLOSE_OBJECT) {
        open[depth] = s.names.open();
        at = afterName(s, b, at, end, open[depth]!);
        if (at < 0) return -1;
        continue;
      }
      at++;
      depth--;
    } else if (c === OPEN_ARRAY) {
      if (++depth > depthMax) return -1;
      c = b[++at]!;
      if (c <= 0x20) {
        at = space(s, b, at);
        c = b[at]!;
      }
      if (c !== CLOSE_ARRAY) {
        open[depth] = 0;
        continue;
      }
      at++;
      depth--;
    } else if (c === 0x2d || (c >= 0x30 && c <= 0x39)) {
      at = afterNumber(b, at);
    } else {
      at = afterWord(b, at, end);
    }
    if (at < 0) return -1;
    // A value has ended: find the next one, or the end of what it is in.
    for (;;) {
      if (depth === outside) return at;
      if (at >= end) return -1;
      const object = open[depth]!;
      c = b[at]!;
      if (c <= 0x20) {
        at = space(s, b, at);
        c = b[at]!;
      }
      if (c === COMMA) {
        c = b[++at]!;
        if (c <= 0x20) at = space(s, b, at);
        if (object !== 0) at = afterName(s, b, at, end, object);
        if (at < 0) return -1;
        break;
      }
      if (c !== (object === 0 ? CLOSE_ARRAY : CLOSE_OBJECT)) return -1;
      at++;
      depth--;
    }
  }
}

/** From where a name must be: the offset of its value, or -1. */
function afterName(s: ScanState, b: Uint8Array, at: number, end: number, object: number): number {
  if (b[at] !== QUOTE) return -1;
  at = s.names.add(b, at, end, object);
  return at < 0 ? -1 : afterColon(s, b, at);
}

/** From after a name: the offset of the value, or -1. */
function afterColon(s: ScanState, b: Uint8Array, at: number): number {
  if (b[at]! <= 0x20) at = space(s, b, at);
  if (b[at] !== COLON) return -1;
  return b[++at]! <= 0x20 ? space(s, b, at) : at;
}

/** The offset after `true`, `false` or `null`, or -1. */
export function afterWord(b: Uint8Array, at: number, end: number): number {
  if (at + 5 > end) return -1;
  const c = b[at]!;
  if (c === 0x74) {
    return b[at + 1] === 0x72 && b[at + 2] === 0x75 && b[at + 3] === 0x65 ? at + 4 : -1;
  }
  if (c === 0x6e) {
    return b[at + 1] === 0x75 && b[at + 2] === 0x6c && b[at + 3] === 0x6c ? at + 4 : -1;
  }
  return c === 0x66 &&
    b[at + 1] === 0x61 &&
    b[at + 2] === 0x6c &&
    b[at + 3] === 0x73 &&
    b[at + 4] === 0x65
    ? at + 5
    : -1;
}

/**
 * From an object: the offset of the value of one of its members, or -1 if it is not found. Reads as much as it must, and does
 * not check it.
 *
 * @param name its bytes with the closing quote
 */
export function peek(
  s: ScanState,
  b: Uint8Array,
  at: number,
  end: number,
  depth: number,
  name: Uint8Array,
): number {
  if (depth >= s.depthMax) return -1;
  let c = b[++at]!;
  for (;;) {
    if (c <= 0x20) {
      at = space(s, b, at);
      c = b[at]!;
    }
    if (c !== QUOTE) return -1;
    const isWanted = startsWith(b, at + 1, name);
    at = text(b, at + 1, end);
    if (at < 0) return -1;
    at = afterColon(s, b, at);
    if (at < 0 || isWanted) return at;
    at = skip(s, b, at, end, depth + 1);
    if (at < 0 || at >= end) return -1;
    c = b[at]!;
    if (c <= 0x20) {
      at = space(s, b, at);
      c = b[at]!;
    }
    if (c !== COMMA) return -1;
    c = b[++at]!;
  }
}

function startsWith(b: Uint8Array, at: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) if (b[at + i] !== name[i]) return false;
  return true;
}
