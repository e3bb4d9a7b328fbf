/** Too many orders: the split has ended early. */
export const TOO_MANY = 'too-many';
/** Values of `x-invalid` for a body that is not a batch. */
const NOT_JSON = '/ json';
const NOT_AN_ARRAY = '/ type';

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Where the orders of a batch are in its body. Only the bounds are found: each order is validated by itself. Reused. */
export class BatchSlices {
  count = 0;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Line of each order, from 1; only after `splitLines`. */
  readonly lines: Int32Array;

  /** @param ordersMax of a batch */
  constructor(ordersMax: number) {
    this.starts = new Int32Array(ordersMax);
    this.ends = new Int32Array(ordersMax);
    this.lines = new Int32Array(ordersMax);
  }

  /**
   * NDJSON in `bytes[0, length)`: an order in each line. A line feed cannot be within one, because in JSON it can only be white
   * space or escaped. Lines with nothing but white space are left out; they count as lines.
   *
   * @returns empty or `TOO_MANY`
   */
  splitLines(bytes: Uint8Array, length: number): string {
    this.count = 0;
    for (let start = 0, line = 1; start < length; line++) {
      const found = bytes.indexOf(LINE_FEED, start);
      const end = found < 0 || found > length ? length : found;
      const first = afterSpace(bytes, start, end);
      if (first < end && !this.#add(first, end, line)) return TOO_MANY;
      start = end + 1;
    }
    return '';
  }

  /**
   * A JSON array in `bytes[0, length)`. In linear time: it knows strings and counts brackets. If every slice is JSON, the
   * body is.
   *
   * @returns empty, `TOO_MANY`, or the value of `x-invalid`
   */
  splitArray(bytes: Uint8Array, length: number): string {
    this.count = 0;
    const open = afterSpace(bytes, 0, length);
    if (bytes[open] !== OPEN_BRACKET || open === length) return faultWithoutArray(bytes, length);
    let start = afterSpace(bytes, open + 1, length);
    const isEmpty = start < length && bytes[start] === CLOSE_BRACKET;
    for (;;) {
      const end = isEmpty ? start : valueEnd(bytes, start, length);
      if (end >= length || (!isEmpty && end === start)) return NOT_JSON;
      if (!isEmpty && !this.#add(start, end, 0)) return TOO_MANY;
      if (bytes[end] !== COMMA) {
        const isArray =
          bytes[end] === CLOSE_BRACKET && afterSpace(bytes, end + 1, length) === length;
        return isArray ? '' : NOT_JSON;
      }
      start = afterSpace(bytes, end + 1, length);
    }
  }

  #add(start: number, end: number, line: number): boolean {
    if (this.count === this.starts.length) return false;
    this.starts[this.count] = start;
    this.ends[this.count] = end;
    this.lines[this.count] = line;
    this.count++;
    return true;
  }
}

/** The first offset from `start` on that is not white space of JSON; `end` if there is none. */
function afterSpace(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const byte = bytes[at];
    if (byte !== SPACE && byte !== LINE_FEED && byte !== CARRIAGE_RETURN && byte !== TAB) break;
    at++;
  }
  return at;
}

/** The offset of the comma or the closing bracket behind a value of an array; `length` or more if there is none. */
function valueEnd(bytes: Uint8Array, start: number, length: number): number {
  let depth = 0;
  for (let at = start; at < length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      for (at++; at < length && bytes[at] !== QUOTE; at++) if (bytes[at] === BACKSLASH) at++;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth++;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (depth === 0) return at;
      depth--;
    } else if (byte === COMMA && depth === 0) {
      return at;
    }
  }
  return length;
}

function faultWithoutArray(bytes: Uint8Array, length: number): string {
  try {
    JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, length).toString());
    return NOT_AN_ARRAY;
  } catch {
    return NOT_JSON;
  }
}
