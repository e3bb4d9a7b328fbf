import type { OrderSpans } from './compact-scan.js';

/*
 * The fixed text of a line is written in stores of eight bytes; the last store of each piece overlaps the one before.
 * The words are doubles, because these are the only 8-byte stores without BigInt. ASCII text never has the bits of a
 * NaN, so no store changes it.
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

/** Bytes of a compact line without its three values. */
export const FIXED_BYTES = HEAD.length + COUNT.length + USERNAME.length + TAIL.length;

function word(text: string): number {
  return new DataView(new TextEncoder().encode(text).buffer).getFloat64(0);
}

/** Writes orders that the scanner found valid as compact lines. */
export class CompactLine {
  #target: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#target.buffer);

  /**
   * Writes the order that has its values at `order` in `bytes`; returns the offset after it. Allocates only when
   * `target` is not that of the last call.
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
 * Copies one to three bytes as three, without a loop. At least two more bytes of the body follow a value, and the text
 * that comes next in the line overwrites the extra ones.
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
 * A loop of four bytes per turn: for so few bytes, `set` with `subarray` takes longer than the copy itself, and
 * allocates.
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
