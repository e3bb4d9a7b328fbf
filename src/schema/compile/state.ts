import { NameSet } from './names.js';

/** Members of objects that are open at the same time: 131,072. */
const BIT_WORDS = 4096;

/** What the code of a scanner keeps while it reads a body. */
export class ScanState {
  /** White space bytes outside of strings. */
  spaces = 0;
  /** The number read last. */
  readonly value = new Float64Array(1);
  readonly names = new NameSet();
  /** In `skip`: of each open object its number in `names`, of each open array 0. */
  readonly open: Int32Array;
  /** A bit for each member of the objects with many, which are open: see `takeBits`. */
  readonly bits = new Int32Array(BIT_WORDS);
  bitsUsed = 0;
  /** Most arrays and objects inside each other. */
  readonly depthMax: number;

  constructor(depthMax: number) {
    this.depthMax = depthMax;
    this.open = new Int32Array(depthMax + 1);
  }

  /** Where `words` numbers of `bits` begin, all 0; -1 if there are not so many. */
  takeBits(words: number): number {
    const first = this.bitsUsed;
    if (first + words > BIT_WORDS) return -1;
    this.bitsUsed = first + words;
    this.bits.fill(0, first, this.bitsUsed);
    return first;
  }

  /** Sets a bit; false if it was set. */
  mark(first: number, index: number): boolean {
    const word = first + (index >>> 5);
    const bit = 1 << (index & 31);
    if ((this.bits[word]! & bit) !== 0) return false;
    this.bits[word]! |= bit;
    return true;
  }
}

/** From a byte that is at most 0x20: the offset of the first byte that is not white space. */
export function space(s: ScanState, b: Uint8Array, at: number): number {
  const start = at;
  let c = b[at]!;
  while (c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09) c = b[++at]!;
  s.spaces += at - start;
  return at;
}
