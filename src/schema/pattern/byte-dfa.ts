import type { Alphabet } from './alphabet.js';
import { type Automaton, DEAD, SINK } from './automaton.js';
import { NotCompiled } from './budget.js';
import { makeClasses } from './utf8-classes.js';

/**
 * A pattern as a table over the UTF-8 bytes of a JSON string, for the bytes after the opening quote:
 *
 *     let state = dfa.start;
 *     do {
 *       let next = dfa.classes[bytes[at++]];
 *       while (next > CLASS_MAX) {                      // beyond ASCII
 *         const byte = bytes[at++] ^ 0x80;              // 0 to 63 for a continuation byte
 *         next = byte < 64 ? dfa.classes[next + byte] : 0;
 *       }
 *       state = dfa.table[state + next];
 *     } while (state > dfa.accept);
 *     state === dfa.accept                              // `at` is behind the closing quote
 *
 * Contract: the loop ends at `accept` if and only if the bytes are raw, well-formed UTF-8 without an escape or a control
 * character, end with a quote, and `new RegExp(source, flags).test()` is true for what they spell. Else it ends at DEAD (0) at
 * the first byte that decides this, or behind the end of `bytes`. So for bytes that are raw, well-formed and ended by a quote,
 * DEAD means that the pattern does not match; for others it means that the table does not know.
 *
 * The loop takes one step for each byte, whatever the pattern.
 */
export interface ByteDfa {
  /**
   * By the first byte of a character: its class (0 to CLASS_MAX), or the place in this array of the 64 entries for the next
   * byte. Class 0 is what cannot occur, class 1 the quote.
   */
  readonly classes: Uint16Array;
  /** By state and class: the next state. A state is the place of its row. */
  readonly table: Uint8Array | Uint16Array | Uint32Array;
  readonly start: number;
  /** The state behind the quote, and the greatest that ends the loop. DEAD is 0. */
  readonly accept: number;
  /** How many states the table has, with DEAD and `accept`. */
  readonly stateCount: number;
  /** Whether every text without an escape matches. */
  readonly isAnything: boolean;
  /** Whether no text matches. */
  readonly isNothing: boolean;
}

/** The greatest class: see ByteDfa. */
export const CLASS_MAX = 255;

const QUOTE = 1;
/** Classes of the table that are not of the alphabet. */
const OWN_CLASSES = 2;
const TABLE_BYTES_MAX = 512 * 1024;

/**
 * Runs a table on the content of a string.
 * @param at the place of the byte after the opening quote
 * @returns the place after the closing quote, or -1 if the table does not accept
 */
export function matchEnd(dfa: ByteDfa, bytes: Uint8Array, at: number): number {
  const { classes, table, accept } = dfa;
  let state = dfa.start;
  do {
    let next = classes[bytes[at++]];
    while (next > CLASS_MAX) {
      const byte = bytes[at++] ^ 0x80;
      next = byte < 64 ? classes[next + byte] : 0;
    }
    state = table[state + next];
  } while (state > accept);
  return state === accept ? at : -1;
}

/** @param automaton minimal */
export function makeByteDfa(automaton: Automaton, alphabet: Alphabet, start: number): ByteDfa {
  const width = alphabet.size + OWN_CLASSES;
  // Row 1 is the state behind the quote; so the states of the automaton from SINK on follow one later.
  const stateCount = automaton.stateCount + 1;
  const placeOf = (state: number) => (state === DEAD ? 0 : (state + 1) * width);
  const table = allocate(stateCount * width);
  for (let state = SINK; state < automaton.stateCount; state += 1) {
    const row = placeOf(state);
    if (automaton.accepts[state] !== 0) table[row + QUOTE] = width;
    for (let at = 0; at < alphabet.size; at += 1) {
      table[row + OWN_CLASSES + at] = placeOf(automaton.next[state * alphabet.size + at]);
    }
  }
  return {
    classes: makeClasses(alphabet.ranges, QUOTE, OWN_CLASSES),
    table,
    start: placeOf(start),
    accept: width,
    stateCount,
    isAnything: start === SINK,
    isNothing: start === DEAD,
  };
}

function allocate(length: number): Uint8Array | Uint16Array | Uint32Array {
  const Table = length <= 0x100 ? Uint8Array : length <= 0x10000 ? Uint16Array : Uint32Array;
  if (length * Table.BYTES_PER_ELEMENT > TABLE_BYTES_MAX) {
    throw new NotCompiled(`its table is larger than ${TABLE_BYTES_MAX / 1024} KiB`);
  }
  return new Table(length);
}
