const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The number of white space bytes outside strings in `bytes[start, end)`, which must be valid JSON. */
export function spacesIn(bytes: Uint8Array, start: number, end: number): number {
  let spaces = 0;
  for (let at = start; at < end; at++) {
    const c = bytes[at]!;
    if (c <= 0x20) spaces++;
    else if (c === QUOTE) at = closingQuote(bytes, at + 1);
  }
  return spaces;
}

/** Copies valid JSON without the white space outside strings. */
export function copyCompact(
  target: Uint8Array,
  offset: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  let at = start;
  let to = offset;
  while (at < end) {
    const c = bytes[at++]!;
    if (c <= 0x20) continue;
    target[to++] = c;
    if (c !== QUOTE) continue;
    let inside = bytes[at++]!;
    while (inside !== QUOTE) {
      target[to++] = inside;
      if (inside === BACKSLASH) target[to++] = bytes[at++]!;
      inside = bytes[at++]!;
    }
    target[to++] = QUOTE;
  }
}

/** Fewer bytes are copied faster one by one. */
const SET_BYTES_MIN = 48;

/** Copies `bytes[start, end)`. */
export function copyBytes(
  target: Uint8Array,
  offset: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  const size = end - start;
  // A view of a part costs as much as the copy.
  if (size === bytes.length) target.set(bytes, offset);
  else if (size >= SET_BYTES_MIN) target.set(bytes.subarray(start, end), offset);
  else copyFew(target, offset, bytes, start, end);
}

function copyFew(
  target: Uint8Array,
  offset: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  let at = start;
  let to = offset;
  while (at + 4 <= end) {
    target[to] = bytes[at]!;
    target[to + 1] = bytes[at + 1]!;
    target[to + 2] = bytes[at + 2]!;
    target[to + 3] = bytes[at + 3]!;
    to += 4;
    at += 4;
  }
  while (at < end) target[to++] = bytes[at++]!;
}

/** From inside a string of valid JSON: the offset of its closing quote. */
function closingQuote(bytes: Uint8Array, at: number): number {
  while (bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}
