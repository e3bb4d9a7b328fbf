import { afterCharacter } from './text.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** The lead byte of planes 1 to 3. */
const LEAD_MAX = 0xf0;

/** Slots of a table that is new. */
const SLOTS_MIN = 256;
/** Most slots: 4 MiB. A body with more than half as many names that the schema does not have is left to the judge. */
const SLOTS_MAX = 262_144;
/** Slots that a name may find taken. More only happen when names are chosen to collide. */
const PROBES_MAX = 64;
/** A slot is four numbers: the body that wrote it, the hash, where the name begins, and the object that it is in. */
const SLOT_NUMBERS = 4;

/** Secret, so that nobody can choose names that collide. */
function randomOdd(): number {
  return Math.floor(Math.random() * 2 ** 31) * 2 + 1;
}

/** The names of members that the schema does not have, in all objects of a body, so that none comes twice in an object. */
export class NameSet {
  #slots = new Int32Array(SLOTS_MIN * SLOT_NUMBERS);
  #mask = SLOTS_MIN - 1;
  #size = 0;
  #body = 0;
  #objects = 0;
  readonly #seed = randomOdd();
  readonly #factor = randomOdd() | 0;

  /** Forgets all names. */
  clear(): void {
    this.#size = 0;
    this.#objects = 0;
    if (this.#body === 0x7fffffff) {
      this.#slots.fill(0);
      this.#body = 0;
    }
    this.#body++;
  }

  /** A number for an object, greater than 0. */
  open(): number {
    return ++this.#objects;
  }

  /**
   * From the opening quote of a name: the offset after the closing quote. -1 if it is not a string, has an escape, or is not
   * new in its object, and in rare cases although it is new.
   */
  add(b: Uint8Array, at: number, end: number, object: number): number {
    let hash = this.#seed ^ Math.imul(object, 0x9e3779b1);
    let to = at + 1;
    for (;;) {
      if (to >= end) return -1;
      const c = b[to]!;
      if (c === QUOTE) break;
      if (c < 0x20 || c === BACKSLASH) return -1;
      if (c >= 0x80) {
        // From plane 4 on, a table that does not match may just not know.
        const after = c > LEAD_MAX ? -1 : afterCharacter(b, to, end);
        if (after < 0) return -1;
        while (to < after - 1) hash = ((hash << 5) + hash) ^ b[to++]!;
      }
      // Times 33: names that collide can be found, but then the judge is asked.
      hash = ((hash << 5) + hash) ^ c;
      to++;
    }
    // Mixed twice: names that count up, n1, n2, and so on, would crowd otherwise.
    hash = Math.imul(hash, this.#factor);
    hash = Math.imul(hash ^ (hash >>> 15), this.#factor);
    hash ^= hash >>> 13;
    return this.#insert(b, at, object, hash) ? to + 1 : -1;
  }

  #insert(b: Uint8Array, at: number, object: number, hash: number): boolean {
    const slots = this.#slots;
    const body = this.#body;
    let slot = (hash & this.#mask) * SLOT_NUMBERS;
    let probes = 0;
    while (slots[slot] === body) {
      if (
        slots[slot + 1] === hash &&
        slots[slot + 3] === object &&
        isSameName(b, slots[slot + 2]!, at)
      ) {
        return false;
      }
      if (++probes > PROBES_MAX) return false;
      slot = nextSlot(slot, probes, slots);
    }
    slots[slot] = body;
    slots[slot + 1] = hash;
    slots[slot + 2] = at;
    slots[slot + 3] = object;
    return ++this.#size <= this.#mask >> 1 || this.#grow();
  }

  #grow(): boolean {
    const old = this.#slots;
    const slotCount = (this.#mask + 1) * 2;
    if (slotCount > SLOTS_MAX) return false;
    const slots = new Int32Array(slotCount * SLOT_NUMBERS);
    for (let from = 0; from < old.length; from += SLOT_NUMBERS) {
      if (old[from] !== this.#body) continue;
      let slot = (old[from + 1]! & (slotCount - 1)) * SLOT_NUMBERS;
      let probes = 0;
      while (slots[slot] !== 0) slot = nextSlot(slot, ++probes, slots);
      slots.set(old.subarray(from, from + SLOT_NUMBERS), slot);
    }
    this.#slots = slots;
    this.#mask = slotCount - 1;
    return true;
  }
}

/** One further, then two, then three: reaches each slot, and full ones do not grow together to a long run. */
function nextSlot(slot: number, probes: number, slots: Int32Array): number {
  return (slot + probes * SLOT_NUMBERS) & (slots.length - 1);
}

/** Both offsets are those of opening quotes, and both names have ended without an escape. */
function isSameName(b: Uint8Array, one: number, other: number): boolean {
  let i = 1;
  while (b[one + i] === b[other + i]) {
    if (b[one + i] === QUOTE) return true;
    i++;
  }
  return false;
}
