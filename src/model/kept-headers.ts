import type { Order } from './order.js';
import type { OrderLine } from './stages.js';

/**
 * Headers that `--keep-headers` keeps. In a frame they follow their order in its line: the compact order, a tab, and a JSON
 * object with a text for each name. Compact JSON has no tab.
 */
export type KeptHeaders = Order['headers'];

/** Longest JSON of the kept headers of one order, with the tab before it; bytes. */
export const KEPT_BYTES_MAX = 4096;
export const NOTHING_KEPT: Uint8Array = new Uint8Array(0);

/** Of an order without kept headers. */
export const NO_HEADERS: KeptHeaders = Object.freeze({});

const TAB = 0x09;
const LINE_FEED = 0x0a;

/** What follows the order in its line; empty without headers. */
export function encodeKept(headers: ReadonlyMap<string, string>): Uint8Array {
  if (headers.size === 0) return NOTHING_KEPT;
  return Buffer.from(`\t${JSON.stringify(Object.fromEntries(headers))}`);
}

/** The order in its line, without the kept headers. @param line without a line feed */
export function orderIn(line: Uint8Array): Uint8Array {
  const tab = line.indexOf(TAB);
  return tab < 0 ? line : line.subarray(0, tab);
}

/** The kept headers in a line. @param line without a line feed. @throws SyntaxError they are damaged */
export function headersIn(line: Uint8Array): KeptHeaders {
  const tab = line.indexOf(TAB);
  if (tab < 0) return NO_HEADERS;
  return JSON.parse(Buffer.from(line.subarray(tab + 1)).toString('utf8')) as KeptHeaders;
}

/** The line of an order with its kept headers. One object serves many orders, because each is written at once. */
export class LineWithHeaders implements OrderLine {
  #line: OrderLine | null = null;
  #kept = NOTHING_KEPT;

  /** @param kept see `encodeKept` */
  of(line: OrderLine, kept: Uint8Array): OrderLine {
    if (kept.length === 0) return line;
    this.#line = line;
    this.#kept = kept;
    return this;
  }

  get compactLength(): number {
    return this.#line!.compactLength + this.#kept.length;
  }

  writeTo(target: Uint8Array, offset: number): number {
    const keptAt = this.#line!.writeTo(target, offset) - 1;
    target.set(this.#kept, keptAt);
    const end = keptAt + this.#kept.length;
    target[end] = LINE_FEED;
    return end + 1;
  }
}
