import { type ByteDfa, CLASS_MAX } from '../pattern/byte-dfa.js';
import { writeUnescaped } from './unescape.js';

const BACKSLASH = 0x5c;
/** Bytes of a row of `MatchTable.ascii`. */
const ROW = 128;
const ACCEPTED = 1;
/** Larger tables would not stay in the cache. */
const ASCII_ROWS_MAX = 256;

/** A table of a pattern, with a second table that takes one step for an ASCII character. */
export interface MatchTable {
  readonly dfa: ByteDfa;
  /** By state and ASCII character the next state: its row, 0 for dead, 1 for accepted. Empty if it would be too large. */
  readonly ascii: Uint16Array;
  readonly start: number;
  /** Numbers of a row of `dfa.table`. */
  readonly width: number;
  /** Whether a state leads to itself, so that many characters may be read in it. */
  readonly hasRuns: boolean;
}

export function matchTable(dfa: ByteDfa): MatchTable {
  // The row of the state behind the quote is the second.
  const width = dfa.accept;
  const rows = dfa.stateCount <= ASCII_ROWS_MAX ? dfa.stateCount : 0;
  const ascii = new Uint16Array(rows * ROW);
  let hasRuns = false;
  for (let row = 2; row < rows; row++) {
    for (let c = 0; c < ROW; c++) {
      const next = dfa.table[row * width + dfa.classes[c]!]! / width;
      ascii[row * ROW + c] = next <= ACCEPTED ? next : next * ROW;
      if (next === row) hasRuns = true;
    }
  }
  return { dfa, ascii, start: (dfa.start / width) * ROW, width, hasRuns };
}

/**
 * From the byte after an opening quote: the offset after the closing quote if the string matches, else -1. Also -1 for a string
 * with an escape that a raw string cannot hold. For tables with `ascii`.
 */
export function matchSteps(t: MatchTable, b: Uint8Array, at: number, end: number): number {
  const { ascii } = t;
  const start = at;
  let state = t.start;
  while (at < end) {
    const c = b[at]!;
    if (c >= ROW) return matchBeyondAscii(t, b, start, at, end, (state / ROW) * t.width);
    state = ascii[state + c]!;
    at++;
    if (state < ROW) return state === ACCEPTED ? at : matchEscaped(t, b, start, end, c);
  }
  return -1;
}

/** The same, faster for tables with runs. */
export function matchRuns(t: MatchTable, b: Uint8Array, at: number, end: number): number {
  const { ascii } = t;
  const start = at;
  let state = t.start;
  while (at < end) {
    const c = b[at]!;
    if (c >= ROW) return matchBeyondAscii(t, b, start, at, end, (state / ROW) * t.width);
    const next = ascii[state + c]!;
    at++;
    if (next !== state) {
      if (next < ROW) return next === ACCEPTED ? at : matchEscaped(t, b, start, end, c);
      state = next;
    }
  }
  return -1;
}

/** The same for any table. */
export function matchAny(t: MatchTable, b: Uint8Array, at: number, end: number): number {
  return matchBeyondAscii(t, b, at, at, end, t.dfa.start);
}

/** The same from a state of `dfa` that was reached at `at`. */
function matchBeyondAscii(
  t: MatchTable,
  b: Uint8Array,
  start: number,
  at: number,
  end: number,
  from: number,
): number {
  const { classes, table, accept } = t.dfa;
  let state = from;
  while (at < end) {
    const c = b[at++]!;
    let next = classes[c]!;
    while (next > CLASS_MAX) {
      if (at >= end) return -1;
      const byte = b[at++]! ^ 0x80;
      next = byte < 64 ? classes[next + byte]! : 0;
    }
    state = table[state + next]!;
    if (state <= accept) return state === accept ? at : matchEscaped(t, b, start, end, c);
  }
  return -1;
}

/** Longest string with escapes, in bytes, that is compared with a pattern. */
const UNESCAPED_BYTES_MAX = 1024;
const unescaped = new Uint8Array(UNESCAPED_BYTES_MAX);

/** Where a table has given up at the byte `c`: the same verdict for the string without its escapes, if it was for one. */
function matchEscaped(t: MatchTable, b: Uint8Array, start: number, end: number, c: number): number {
  if (c !== BACKSLASH) return -1;
  const after = writeUnescaped(b, start, end, unescaped);
  if (after < 0) return -1;
  return matchBeyondAscii(t, unescaped, 0, 0, unescaped.length, t.dfa.start) < 0 ? -1 : after;
}
