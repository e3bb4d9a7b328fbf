const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/**
 * How many members an object has as written, repeated names counted each time: the colons outside
 * strings that stand one brace deep. `bytes[start, end)` must be a JSON text in UTF-8 whose value is
 * an object. No recursion, so any depth will do.
 */
export function memberCount(bytes: Uint8Array, start: number, end: number): number {
  let depth = 0;
  let members = 0;
  for (let at = start; at < end; at++) {
    const c = bytes[at];
    if (c === QUOTE) at = closingQuote(bytes, at + 1);
    else if (c === COLON && depth === 1) members++;
    // `{` and `[` differ from each other in bit 5 only, and so do `}` and `]`.
    else if ((c | 0x20) === 0x7b) depth++;
    else if ((c | 0x20) === 0x7d) depth--;
  }
  return members;
}

function closingQuote(bytes: Uint8Array, at: number): number {
  while (bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}
