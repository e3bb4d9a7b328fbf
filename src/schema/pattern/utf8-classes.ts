import { NotCompiled } from './budget.js';

const QUOTE = 0x22;
/** Entries for the first byte of a character. */
const ROOT = 256;
/** Entries for a continuation byte. */
const ROW = 64;
/** An entry is a class or the place of a row, and has 16 bits. */
const PLACE_MAX = 0xffff;

/**
 * The array `classes` of ByteDfa.
 * @param ranges of the alphabet: [first, last, class, …]
 * @param offset is added to each class of the alphabet
 */
export function makeClasses(
  ranges: readonly number[],
  quoteClass: number,
  offset: number,
): Uint16Array {
  const rows = new Rows(ranges, offset);
  const root = new Uint16Array(ROOT);
  for (let code = 0; code < 0x80; code += 1) root[code] = rows.entry(0, code, 0);
  root[QUOTE] = quoteClass;
  // The last argument refuses longer forms than needed. Surrogates are in no range.
  for (let lead = 0xc2; lead < 0xe0; lead += 1) root[lead] = rows.entry(1, (lead & 0x1f) << 6, 0);
  for (let lead = 0xe0; lead < 0xf0; lead += 1) {
    root[lead] = rows.row(2, (lead & 0xf) << 12, 0x800);
  }
  for (let lead = 0xf0; lead < 0xf5; lead += 1) {
    root[lead] = rows.row(3, (lead & 0x7) << 18, 0x10000);
  }
  return rows.join(root);
}

/** The rows for continuation bytes, each different row once. */
class Rows {
  readonly #ranges: readonly number[];
  readonly #offset: number;
  readonly #rows: number[][] = [];
  readonly #places = new Map<string, number>();
  /** Entries for spans of code points of one class, by level and class. */
  readonly #uniform: (number | undefined)[][] = [[], [], [], []];

  constructor(ranges: readonly number[], offset: number) {
    this.#ranges = ranges;
    this.#offset = offset;
  }

  /**
   * The entry for the code points from `first` that `level` more bytes tell apart: 64 ** level of them.
   * @param min code points below do not count
   */
  entry(level: number, first: number, min: number): number {
    if (level === 0) return this.#classAt(first, min);
    const last = first + ROW ** level - 1;
    const at = this.#find(first);
    const isEmpty = at >= this.#ranges.length || this.#ranges[at] > last || last < min;
    if (isEmpty) return this.#uniformEntry(level, 0);
    const isUniform = this.#ranges[at] <= first && this.#ranges[at + 1] >= last && first >= min;
    if (isUniform) return this.#uniformEntry(level, this.#ranges[at + 2] + this.#offset);
    return this.row(level, first, min);
  }

  row(level: number, first: number, min: number): number {
    const row: number[] = [];
    const step = ROW ** (level - 1);
    for (let at = 0; at < ROW; at += 1) row.push(this.entry(level - 1, first + at * step, min));
    return this.#place(row);
  }

  join(root: Uint16Array): Uint16Array {
    const all = new Uint16Array(ROOT + ROW * this.#rows.length);
    all.set(root);
    for (const [index, row] of this.#rows.entries()) all.set(row, ROOT + ROW * index);
    return all;
  }

  #uniformEntry(level: number, id: number): number {
    if (level === 0) return id;
    let entry = this.#uniform[level][id];
    if (entry === undefined) {
      entry = this.#place(new Array<number>(ROW).fill(this.#uniformEntry(level - 1, id)));
      this.#uniform[level][id] = entry;
    }
    return entry;
  }

  #place(row: number[]): number {
    const key = row.join();
    let place = this.#places.get(key);
    if (place === undefined) {
      place = ROOT + ROW * (this.#rows.push(row) - 1);
      if (place > PLACE_MAX) throw new NotCompiled('it tells too many characters apart');
      this.#places.set(key, place);
    }
    return place;
  }

  #classAt(codePoint: number, min: number): number {
    const at = this.#find(codePoint);
    const isIn = at < this.#ranges.length && this.#ranges[at] <= codePoint && codePoint >= min;
    return isIn ? this.#ranges[at + 2] + this.#offset : 0;
  }

  /** The place of the first range that ends at the code point or behind it. */
  #find(codePoint: number): number {
    let low = 0;
    let high = this.#ranges.length / 3;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ranges[3 * middle + 1] < codePoint) low = middle + 1;
      else high = middle;
    }
    return 3 * low;
  }
}
