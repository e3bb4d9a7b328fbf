const QUOTE = 0x22;

/** Finds one of many names, or values of an `enum`, by the bytes of a string. */
export class KnownNames {
  readonly #bytes: Uint8Array;
  readonly #starts: Int32Array;
  readonly #slots: Int32Array;
  readonly #longest: number;

  /** @param names as they stand in a body: UTF-8, without quotes and escapes */
  constructor(names: readonly Uint8Array[]) {
    this.#bytes = Buffer.concat(names.flatMap((name) => [name, Uint8Array.of(QUOTE)]));
    this.#bytes = new Uint8Array(this.#bytes);
    this.#starts = new Int32Array(names.length + 1);
    let slotCount = 4;
    while (slotCount < names.length * 3) slotCount *= 2;
    this.#slots = new Int32Array(slotCount);
    this.#longest = names.reduce((most, { length }) => Math.max(most, length), 0);
    for (const [index, name] of names.entries()) {
      this.#starts[index + 1] = this.#starts[index]! + name.length + 1;
      let slot = hashOf(name) & (slotCount - 1);
      while (this.#slots[slot] !== 0) slot = (slot + 1) & (slotCount - 1);
      this.#slots[slot] = index + 1;
    }
  }

  /** Bytes of a name with its closing quote. */
  size(index: number): number {
    return this.#starts[index + 1]! - this.#starts[index]!;
  }

  /** From an opening quote: which of the names follows, with a closing quote, or -1. */
  find(b: Uint8Array, at: number, end: number): number {
    const start = at + 1;
    const last = Math.min(end, start + this.#longest + 1);
    let hash = 0;
    let to = start;
    for (;;) {
      if (to >= last) return -1;
      const c = b[to]!;
      if (c === QUOTE) break;
      hash = Math.imul(hash ^ c, FACTOR);
      to++;
    }
    hash ^= hash >>> 15;
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const index = this.#slots[slot]! - 1;
      if (this.#is(index, b, start, to)) return index;
    }
    return -1;
  }

  #is(index: number, b: Uint8Array, start: number, quote: number): boolean {
    const own = this.#starts[index]!;
    if (this.size(index) !== quote - start + 1) return false;
    for (let i = 0; start + i < quote; i++) if (this.#bytes[own + i] !== b[start + i]) return false;
    return true;
  }
}

const FACTOR = 0x01000193;

function hashOf(name: Uint8Array): number {
  let hash = 0;
  for (const c of name) hash = Math.imul(hash ^ c, FACTOR);
  return hash ^ (hash >>> 15);
}
