import { packFrameId, unpackFrameId } from './key-frame-id.js';
import { type KeyShape, RECORD, shapeOf, stripePlaces } from './key-layout.js';
import { KeyLock, LockCells, type LockOperations } from './key-lock.js';
import { KeyStripe } from './key-stripe.js';

/** A key as the table sees it: four words of keyed hash, then two of the digest of its order. */
export const KEY_WORDS = 6;

/** What `reserve` found. */
export const RESERVATION = {
  /** Nobody had it: it is the caller's now, who must say what became of its order. */
  taken: 0,
  /** Somebody's order under it is on its way. */
  pending: 1,
  /** Its order is durable, and is the same as this one; `foundFrameId` and `foundPosition` say which. */
  kept: 2,
  /** Its order is durable, and is another one. */
  reused: 3,
  /** Nobody knows what became of its order; where it would be, if that is known, stands as in `kept`. */
  doubtful: 4,
  /** Too many keys are remembered; or a thread died in the middle of the table. */
  noRoom: 5,
} as const;
export type Reservation = (typeof RESERVATION)[keyof typeof RESERVATION];

const FREE = 0;
const PENDING = 1;
const KEPT = 2;
const DOUBTFUL = 3;
const STATE_BITS = 2;
const STATE_MASK = 2 ** STATE_BITS - 1;

/** Expired records that a look at the size takes out of a stripe at once. */
const SWEPT_MAX = 512;

/**
 * One thread's view of the table of idempotency keys that all threads share. A key is taken by one
 * (`reserve`), who says at once where its order will be (`place`), and later what became of it: `keep`,
 * `doubt` or `free`. Whatever thread comes last with whatever news, an order that is durable stays remembered.
 *
 * Times are nanoseconds of a clock that all threads share. Every call is one step as seen by others.
 */
export class KeyTable {
  /** Where the order is that the last `reserve` found; the id is empty where that is not known. */
  foundPosition = 0;
  readonly #words: Int32Array;
  readonly #shape: KeyShape;
  readonly #stripes: readonly KeyStripe[];
  readonly #locks: readonly KeyLock[];
  readonly #frame = new Int32Array(4);
  readonly #foundFrame = new Int32Array(4);
  /** What `#frame` holds. */
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
    if (stripe === null) return RESERVATION.noRoom;
    let record = stripe.find(key);
    if (record !== 0 && stripe.expiryNs(record) <= nowNs) {
      stripe.remove(record);
      record = 0;
    }
    const found =
      record === 0 ? this.#take(stripe, key, nowNs) : this.#look(stripe, record, key, nowNs);
    this.#leave(key);
    return found;
  }

  /** Where the order of the key that the caller reserved is going to be. */
  place(key: Int32Array, frameId: string, position: number): void {
    if (!this.#packs(frameId)) return;
    const stripe = this.#enter(key);
    if (stripe === null) return;
    const record = stripe.find(key);
    if (record !== 0 && this.#isUnplaced(stripe.at(record))) {
      this.#write(stripe.at(record), PENDING, position);
    }
    this.#leave(key);
  }

  /** Gives back a key that was reserved and whose order was not taken after all. */
  giveBack(key: Int32Array): void {
    const stripe = this.#enter(key);
    if (stripe === null) return;
    const record = stripe.find(key);
    if (record !== 0 && this.#isUnplaced(stripe.at(record))) stripe.remove(record);
    this.#leave(key);
  }

  /** The order is durable: the key is remembered from now on. */
  keep(key: Int32Array, frameId: string, position: number, nowNs: number): void {
    this.#settle(key, frameId, position, KEPT, nowNs);
  }

  /** Nobody knows whether the order is durable: the key stays taken. */
  doubt(key: Int32Array, frameId: string, position: number, nowNs: number): void {
    this.#settle(key, frameId, position, DOUBTFUL, nowNs);
  }

  /** The order was not kept, for certain: whoever comes next may have the key. */
  free(key: Int32Array, frameId: string, position: number): void {
    this.#settle(key, frameId, position, FREE, 0);
  }

  /**
   * A key that a journal kept over a restart, from the oldest to the newest: the last order under a
   * key counts. False when there is no room, or the frame's id is none.
   */
  remember(
    key: Int32Array,
    frameId: string,
    position: number,
    nowNs: number,
    expiryNs: number,
  ): boolean {
    if (!this.#packs(frameId)) return false;
    const stripe = this.#enter(key);
    if (stripe === null) return false;
    const known = stripe.find(key);
    if (known !== 0) stripe.remove(known);
    const record = stripe.insert(key, nowNs, expiryNs);
    if (record !== 0) this.#write(stripe.at(record), KEPT, position);
    this.#leave(key);
    return record !== 0;
  }

  /** How many keys are held. Takes out some of those that have expired: they count until then. */
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

  #settle(key: Int32Array, frameId: string, position: number, fate: number, nowNs: number): void {
    if (!this.#packs(frameId)) return;
    const stripe = this.#enter(key);
    if (stripe === null) return;
    const record = stripe.find(key);
    if (record !== 0 && this.#isOpenAt(stripe.at(record), position)) {
      if (fate === FREE) {
        stripe.remove(record);
      } else {
        this.#write(stripe.at(record), fate, position);
        stripe.renew(record, nowNs + this.#shape.lifeNs);
      }
    }
    this.#leave(key);
  }

  #take(stripe: KeyStripe, key: Int32Array, nowNs: number): Reservation {
    const { lifeNs, pendingNs } = this.#shape;
    const record = stripe.insert(key, nowNs, nowNs + pendingNs + lifeNs);
    if (record === 0) return RESERVATION.noRoom;
    const at = stripe.at(record);
    this.#words[at + RECORD.state] = PENDING;
    this.#words.fill(0, at + RECORD.frame, at + RECORD.frame + this.#frame.length);
    return RESERVATION.taken;
  }

  #look(stripe: KeyStripe, record: number, key: Int32Array, nowNs: number): Reservation {
    const words = this.#words;
    const at = stripe.at(record);
    const state = words[at + RECORD.state] & STATE_MASK;
    // Whoever has it for so long is dead, or so late that its word is no longer waited for.
    const isOverdue = stripe.expiryNs(record) - this.#shape.lifeNs <= nowNs;
    if (state === PENDING && !isOverdue) return RESERVATION.pending;
    for (let i = 0; i < this.#foundFrame.length; i++) {
      this.#foundFrame[i] = words[at + RECORD.frame + i];
    }
    this.foundPosition = words[at + RECORD.state] >>> STATE_BITS;
    if (state !== KEPT) return RESERVATION.doubtful;
    const isSame =
      words[at + RECORD.digest] === key[RECORD.digest] &&
      words[at + RECORD.digest + 1] === key[RECORD.digest + 1];
    return isSame ? RESERVATION.kept : RESERVATION.reused;
  }

  #isUnplaced(at: number): boolean {
    const words = this.#words;
    if ((words[at + RECORD.state] & STATE_MASK) !== PENDING) return false;
    for (let i = 0; i < this.#frame.length; i++)
      if (words[at + RECORD.frame + i] !== 0) return false;
    return true;
  }

  /** Whether the record waits for word of just this order, the one of `#frame`. */
  #isOpenAt(at: number, position: number): boolean {
    const words = this.#words;
    const state = words[at + RECORD.state];
    if ((state & STATE_MASK) === KEPT || state >>> STATE_BITS !== position) return false;
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

  /** Packs the id into `#frame`; the orders of a frame come one after the other, so mostly it is there. */
  #packs(frameId: string): boolean {
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
