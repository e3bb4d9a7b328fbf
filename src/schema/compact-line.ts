import type { OrderSpans } from './compact-scan.js';

/*
 * The fixed text of a line is written eight bytes a store, each piece ending in a store that
 * overlaps the one before. The words are doubles because those are the only 8-byte stores that
 * need no BigInt; no text in ASCII has the bits of a NaN, so none is changed on the way.
 */
const HEAD = '{"product_id":"';
const HEAD_FIRST = word(HEAD.slice(0, 8));
const HEAD_LAST = word(HEAD.slice(-8));
const COUNT = '","count":"';
const COUNT_FIRST = word(COUNT.slice(0, 8));
const COUNT_LAST = word(COUNT.slice(-8));
const USERNAME = '","username":"';
const USERNAME_FIRST = word(USERNAME.slice(0, 8));
const USERNAME_LAST = word(USERNAME.slice(-8));
const TAIL = '"}\n';

/** Bytes of a compact line besides its three values. */
export const FIXED_BYTES = HEAD.length + COUNT.length + USERNAME.length + TAIL.length;

function word(text: string): number {
  return new DataView(new TextEncoder().encode(text).buffer).getFloat64(0);
}

/** Writes compact lines of orders that the scanner found valid. */
export class CompactLine {
  #target: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#target.buffer);

  /**
   * Writes the order that `order` found in `bytes`; returns the offset behind it. Allocates only
   * when `target` is another one than at the last call.
   */
  write(target: Uint8Array, start: number, bytes: Uint8Array, order: OrderSpans): number {
    if (target !== this.#target) {
      this.#target = target;
      this.#view = new DataView(target.buffer, target.byteOffset, target.byteLength);
    }
    const view = this.#view;
    let at = start;
    view.setFloat64(at, HEAD_FIRST);
    view.setFloat64(at + HEAD.length - 8, HEAD_LAST);
    at = copyPercent(target, at + HEAD.length, bytes, order.productIdStart, order.productIdEnd);
    view.setFloat64(at, COUNT_FIRST);
    view.setFloat64(at + COUNT.length - 8, COUNT_LAST);
    at = copyPercent(target, at + COUNT.length, bytes, order.countStart, order.countEnd);
    view.setFloat64(at, USERNAME_FIRST);
    view.setFloat64(at + USERNAME.length - 8, USERNAME_LAST);
    at = copy(target, at + USERNAME.length, bytes, order.usernameStart, order.usernameEnd);
    target[at] = 0x22;
    target[at + 1] = 0x7d;
    target[at + 2] = 0x0a;
    return at + TAIL.length;
  }
}

/**
 * Copies one to three bytes as three, without a loop: behind a value stand at least two more bytes
 * of the body, and what is too many in the line is overwritten by the text that comes next.
 */
function copyPercent(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  start: number,
  end: number,
): number {
  target[at] = source[start];
  target[at + 1] = source[start + 1];
  target[at + 2] = source[start + 2];
  return at + end - start;
}

/**
 * A loop, four bytes a turn: for so few bytes `set` with `subarray` takes longer than the copying,
 * and allocates.
 */
function copy(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  start: number,
  end: number,
): number {
  while (start + 4 <= end) {
    target[at] = source[start];
    target[at + 1] = source[start + 1];
    target[at + 2] = source[start + 2];
    target[at + 3] = source[start + 3];
    at += 4;
    start += 4;
  }
  while (start < end) target[at++] = source[start++];
  return at;
}
