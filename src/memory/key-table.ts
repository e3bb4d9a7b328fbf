import { type KeyShape, RECORD, shapeOf, stripePlaces } from './key-layout.js';
import { KeyLock, LockCells, type LockOperations } from './key-lock.js';
import { KeyStripe } from './key-stripe.js';
import { packFrameId, unpackFrameId } from './packed-frame-id.js';

/** Words of a key in the table: four of its keyed hash, then two of its order's digest. */
export const KEY_WORDS = 6;

/** Result of `reserve`. */
export const RESERVATION = {
  /** The key was free. It now belongs to the caller, who must report the outcome of its order. */
  acquired: 0,
  /** An order with this key is being committed. */
  pending: 1,
  /** The key's order is durable and is the same as this one. `foundFrameId` and `foundPosition` locate it. */
  replay: 2,
  /** The key's order is durable and is a different one. */
  conflict: 3,
  /** The outcome of the key's order is unknown. Its place, if known, is given as for `replay`. */
  unknown: 4,
  /** The table is full, or a thread died while it changed it. */
  full: 5,
} as const;
export type Reservation = (typeof RESERVATION)[keyof typeof RESERVATION];

const FREE = 0;
const PENDING = 1;
const DURABLE = 2;
const UNKNOWN = 3;
const STATE_BITS = 2;
const STATE_MASK = 2 ** STATE_BITS - 1;

/** Expired records that `size` removes from a stripe in one call. */
const SWEPT_MAX = 512;

/**
 * One thread's view of the table of idempotency keys that all threads share. A caller reserves a key (`reserve`), sets
 * the place that its order will have (`setPlace`), and later reports the outcome: `confirm`, `markUnknown` or `release`.
 * In whatever order outcomes are reported, a durable order stays remembered.
 *
 * Times are nanoseconds of a clock that all threads share. Each call is atomic to other threads.
 */
export class KeyTable {
  /** Place of the order that the last `reserve` found. `foundFrameId` is empty if the place is unknown. */
  foundPosition = 0;
  readonly #words: Int32Array;
  readonly #shape: KeyShape;
  readonly #stripes: readonly KeyStripe[];
  readonly #locks: readonly KeyLock[];
  readonly #frame = new Int32Array(4);
  readonly #foundFrame = new Int32Array(4);
  /** The id that `#frame` holds. */
  #frameId = '';

  constructor(
    memory: SharedArrayBuffer,
    operations: LockOperations = new LockCells(memory),
    spins?: number,
  ) {
    this.#words = new Int32Array(memory);
    const floats = new Float64Array(memory);
    const shape = shapeOf(memory);
    this.#shape = shape;
    const places = Array.from({ length: shape.stripes }, (_, i) => stripePlaces(shape, i));
    this.#stripes = places.map((place) => new KeyStripe(this.#words, floats, shape, place));
    this.#locks = places.map(({ lock }) => new KeyLock(operations, lock, spins));
  }

  get shape(): KeyShape {
    return this.#shape;
  }

  get foundFrameId(): string {
    const isKnown = this.#foundFrame.some((word) => word !== 0);
    return isKnown ? unpackFrameId(this.#foundFrame, 0) : '';
  }

  reserve(key: Int32Array, nowNs: number): Reservation {
    const stripe = this.#enter(key);
    if (stripe === null) return RESERVATION.full;
    let record = stripe.find(key);
    if (record !== 0 && stripe.expiryNs(record) <= nowNs) {
      stripe.remove(record);
      record = 0;
    }
    const found =
      record === 0 ? this.#insert(stripe, key, nowNs) : this.#check(stripe, record, key, nowNs);
    this.#leave(key);
    return found;
  }

  /** Sets the place that the order of a reserved key will have. */
  setPlace(key: Int32Array, frameId: string, position: number): void {
    if (!this.#pack(frameId)) return;
    const stripe = this.#enter(key);
    if (stripe === null) return;
    const record = stripe.find(key);
    if (record !== 0 && this.#isUnplaced(stripe.at(record))) {
      this.#write(stripe.at(record), PENDING, position);
    }
    this.#leave(key);
  }

  /** The order of a reserved key moves to another position in its frame, which has not been sent. */
  movePlace(key: Int32Array, frameId: string, from: number, to: number): void {
    if (!this.#pack(frameId)) return;
    const stripe = this.#enter(key);
    if (stripe === null) return;
    const record = stripe.find(key);
    if (record !== 0 && this.#awaits(stripe.at(record), from)) {
      this.#write(stripe.at(record), PENDING, to);
    }
    this.#leave(key);
  }

  /** Removes a key that was reserved but whose order was not committed. */
  cancel(key: Int32Array): void {
    const stripe = this.#enter(key);
    if (stripe === null) return;
    const record = stripe.find(key);
    if (record !== 0 && this.#isUnplaced(stripe.at(record))) stripe.remove(record);
    this.#leave(key);
  }

  /** The order is durable: the key is remembered for `lifeNs` from now on. */
  confirm(key: Int32Array, frameId: string, position: number, nowNs: number): void {
    this.#settle(key, frameId, position, DURABLE, nowNs);
  }

  /** It is unknown whether the order is durable: the key stays reserved. */
  markUnknown(key: Int32Array, frameId: string, position: number, nowNs: number): void {
    this.#settle(key, frameId, position, UNKNOWN, nowNs);
  }

  /** The order is certainly not durable: the key is free again. */
  release(key: Int32Array, frameId: string, position: number): void {
    this.#settle(key, frameId, position, FREE, 0);
  }

  /**
   * Inserts a key that a journal kept across a restart. Called from the oldest key to the newest: the last order of a key
   * wins. False if the table is full or the frame id is invalid.
   */
  restore(
    key: Int32Array,
    frameId: string,
    position: number,
    nowNs: number,
    expiryNs: number,
  ): boolean {
    if (!this.#pack(frameId)) return false;
    const stripe = this.#enter(key);
    if (stripe === null) return false;
    const known = stripe.find(key);
    if (known !== 0) stripe.remove(known);
    const record = stripe.insert(key, nowNs, expiryNs);
    if (record !== 0) this.#write(stripe.at(record), DURABLE, position);
    this.#leave(key);
    return record !== 0;
  }

  /** Number of keys in the table. Expired keys count until they are removed; each call removes some of them. */
  size(nowNs: number): number {
    let live = 0;
    for (const [index, stripe] of this.#stripes.entries()) {
      if (this.#locks[index].acquire()) {
        stripe.reap(nowNs, SWEPT_MAX);
        this.#locks[index].release();
      }
      live += stripe.live;
    }
    return live;
  }

  #settle(key: Int32Array, frameId: string, position: number, state: number, nowNs: number): void {
    if (!this.#pack(frameId)) return;
    const stripe = this.#enter(key);
    if (stripe === null) return;
    const record = stripe.find(key);
    if (record !== 0 && this.#awaits(stripe.at(record), position)) {
      if (state === FREE) {
        stripe.remove(record);
      } else {
        this.#write(stripe.at(record), state, position);
        stripe.renew(record, nowNs + this.#shape.lifeNs);
      }
    }
    this.#leave(key);
  }

  #insert(stripe: KeyStripe, key: Int32Array, nowNs: number): Reservation {
    const { lifeNs, pendingNs } = this.#shape;
    const record = stripe.insert(key, nowNs, nowNs + pendingNs + lifeNs);
    if (record === 0) return RESERVATION.full;
    const at = stripe.at(record);
    this.#words[at + RECORD.state] = PENDING;
    this.#words.fill(0, at + RECORD.frame, at + RECORD.frame + this.#frame.length);
    return RESERVATION.acquired;
  }

  #check(stripe: KeyStripe, record: number, key: Int32Array, nowNs: number): Reservation {
    const words = this.#words;
    const at = stripe.at(record);
    const state = words[at + RECORD.state] & STATE_MASK;
    // A caller that has not reported by then has died, or is too late to be waited for.
    const isOverdue = stripe.expiryNs(record) - this.#shape.lifeNs <= nowNs;
    if (state === PENDING && !isOverdue) return RESERVATION.pending;
    for (let i = 0; i < this.#foundFrame.length; i++) {
      this.#foundFrame[i] = words[at + RECORD.frame + i];
    }
    this.foundPosition = words[at + RECORD.state] >>> STATE_BITS;
    if (state !== DURABLE) return RESERVATION.unknown;
    const isSame =
      words[at + RECORD.digest] === key[RECORD.digest] &&
      words[at + RECORD.digest + 1] === key[RECORD.digest + 1];
    return isSame ? RESERVATION.replay : RESERVATION.conflict;
  }

  #isUnplaced(at: number): boolean {
    const words = this.#words;
    if ((words[at + RECORD.state] & STATE_MASK) !== PENDING) return false;
    for (let i = 0; i < this.#frame.length; i++)
      if (words[at + RECORD.frame + i] !== 0) return false;
    return true;
  }

  /** Whether the record still waits for the outcome of the order at `position` in `#frame`. */
  #awaits(at: number, position: number): boolean {
    const words = this.#words;
    const state = words[at + RECORD.state];
    if ((state & STATE_MASK) === DURABLE || state >>> STATE_BITS !== position) return false;
    for (let i = 0; i < this.#frame.length; i++) {
      if (words[at + RECORD.frame + i] !== this.#frame[i]) return false;
    }
    return true;
  }

  #write(at: number, state: number, position: number): void {
    this.#words[at + RECORD.state] = state | (position << STATE_BITS);
    for (let i = 0; i < this.#frame.length; i++)
      this.#words[at + RECORD.frame + i] = this.#frame[i];
  }

  /** Packs the id into `#frame`. Usually it is there already, because the orders of a frame come in sequence. */
  #pack(frameId: string): boolean {
    if (frameId === this.#frameId) return true;
    this.#frameId = packFrameId(frameId, this.#frame) ? frameId : '';
    return this.#frameId !== '';
  }

  #enter(key: Int32Array): KeyStripe | null {
    const index = key[0] & (this.#stripes.length - 1);
    return this.#locks[index].acquire() ? this.#stripes[index] : null;
  }

  #leave(key: Int32Array): void {
    this.#locks[key[0] & (this.#stripes.length - 1)].release();
  }
}
