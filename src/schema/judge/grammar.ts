/** The grammar of JSON (RFC 8259), without recursion: for texts too deep for a parser, and for the position of an error. */

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const LITERAL = /true|false|null/y;
const ESCAPE = /["\\/bfnrt]|u[0-9A-Fa-f]{4}/y;

export interface Shape {
  /** Most arrays and objects that are open at the same time. */
  readonly depth: number;
  /** In JSON: members of all objects, with repeated names counted each time. */
  readonly members: number;
}

/** Counts brackets and colons outside of strings, in one pass. `bytes` need not be JSON. */
export function shapeOf(bytes: Uint8Array): Shape {
  const end = bytes.length;
  let open = 0;
  let depth = 0;
  let members = 0;
  for (let at = 0; at < end; at++) {
    const c = bytes[at];
    if (c === QUOTE) {
      for (at++; at < end && bytes[at] !== QUOTE; at++) if (bytes[at] === BACKSLASH) at++;
    } else if (c === COLON) members++;
    // `{` and `[` differ in bit 5 only, and so do `}` and `]`.
    else if ((c | 0x20) === OPEN_OBJECT) {
      open++;
      if (open > depth) depth = open;
    } else if ((c | 0x20) === CLOSE_OBJECT) open--;
  }
  return { depth, members };
}

/** Where a text stops being JSON: the index of a character, or the length of a text that ends too early; -1 for JSON. */
export function brokenAt(text: string): number {
  const inObject = new Uint8Array(text.length);
  let open = 0;
  let at = endOfSpace(text, 0);
  for (;;) {
    const c = text.charCodeAt(at);
    if (c === OPEN_OBJECT || c === OPEN_ARRAY) {
      const inner = endOfSpace(text, at + 1);
      if (text.charCodeAt(inner) !== (c === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY)) {
        open++;
        inObject[open] = Number(c === OPEN_OBJECT);
        at = c === OPEN_OBJECT ? endOfName(text, inner) : inner;
        if (at < 0) return ~at;
        continue;
      }
      at = inner + 1;
    } else at = endOfScalar(text, at);
    if (at < 0) return ~at;
    // A value has ended: find the next one, or the end of what it is in.
    for (;;) {
      at = endOfSpace(text, at);
      if (open === 0) return at === text.length ? -1 : at;
      const next = text.charCodeAt(at);
      if (next === COMMA) break;
      if (next !== (inObject[open] === 1 ? CLOSE_OBJECT : CLOSE_ARRAY)) return at;
      open--;
      at++;
    }
    at = endOfSpace(text, at + 1);
    if (inObject[open] === 1) at = endOfName(text, at);
    if (at < 0) return ~at;
  }
}

function endOfSpace(text: string, at: number): number {
  for (;;) {
    const c = text.charCodeAt(at);
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return at;
    at++;
  }
}

/** Reads `"name":` and white space. Returns the index after it, or the complement of where it is broken. */
function endOfName(text: string, at: number): number {
  if (text.charCodeAt(at) !== QUOTE) return ~at;
  at = endOfString(text, at + 1);
  if (at < 0) return at;
  at = endOfSpace(text, at);
  return text.charCodeAt(at) === COLON ? endOfSpace(text, at + 1) : ~at;
}

/** Reads a string, number or literal. Returns the index after it, or the complement of where it is broken. */
function endOfScalar(text: string, at: number): number {
  const c = text.charCodeAt(at);
  if (c === QUOTE) return endOfString(text, at + 1);
  const after = endOfMatch(c > 0x39 ? LITERAL : NUMBER, text, at);
  return after === at ? ~at : after;
}

/** The same from inside a string. */
function endOfString(text: string, at: number): number {
  for (;;) {
    const c = text.charCodeAt(at);
    if (c === QUOTE) return at + 1;
    // Also at the end of the text, where the code is NaN.
    if (!(c >= 0x20)) return ~at;
    const after = c === BACKSLASH ? endOfMatch(ESCAPE, text, at + 1) : at + 1;
    if (c === BACKSLASH && after === at + 1) return ~at;
    at = after;
  }
}

/** The index after what `pattern` matches at `at`, or `at`. */
function endOfMatch(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}
