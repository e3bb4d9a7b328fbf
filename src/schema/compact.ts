const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The number of white space bytes outside strings in `bytes[start, end)`, which must be valid JSON. */
export function spacesIn(bytes: Uint8Array, start: number, end: number): number {
  let spaces = 0;
  for (let at = start; at < end; at++) {
    const c = bytes[at];
    if (c <= 0x20) spaces++;
    else if (c === QUOTE) at = closingQuote(bytes, at + 1);
  }
  return spaces;
}

/** Copies valid JSON without the white space outside strings; returns the offset after the last byte written. */
export function copyCompact(
  target: Uint8Array,
  offset: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  let at = start;
  let to = offset;
  while (at < end) {
    const c = bytes[at];
    if (c === QUOTE) {
      const after = closingQuote(bytes, at + 1) + 1;
      while (at < after) target[to++] = bytes[at++];
    } else {
      if (c > 0x20) target[to++] = c;
      at++;
    }
  }
  return to;
}

/** From inside a string of valid JSON: the offset of its closing quote. */
function closingQuote(bytes: Uint8Array, at: number): number {
  while (bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}
