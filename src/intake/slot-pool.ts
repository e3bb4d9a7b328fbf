import { RequestSlot, type SlotParts } from './request-slot.js';

/** Request slots, in use and free. It grows to the highest number of concurrent requests, less the retired slots. */
export class SlotPool {
  readonly #parts: SlotParts;
  readonly #free: RequestSlot[] = [];
  /** Every slot that may be used again, in use or free; each slot knows its index here. */
  readonly #all: RequestSlot[] = [];
  #inUse = 0;

  constructor(parts: Omit<SlotParts, 'release' | 'retire'>) {
    this.#parts = {
      ...parts,
      release: (slot) => this.#release(slot),
      retire: (slot) => this.#retire(slot),
    };
  }

  acquire(): RequestSlot {
    this.#inUse++;
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const slot = new RequestSlot(this.#parts, this.#all.length);
    this.#all.push(slot);
    return slot;
  }

  get inUse(): number {
    return this.#inUse;
  }

  /** Closes the connections of requests that started before `startedMs` and whose body is still incomplete. */
  closeReadingSince(startedMs: number): void {
    // Backwards, because a slot that retires moves the last one to its index.
    for (let i = this.#all.length - 1; i >= 0; i--) {
      const slot = this.#all[i]!;
      if (slot.isReading && slot.startedMs < startedMs) slot.closeConnection();
    }
  }

  #release(slot: RequestSlot): void {
    this.#inUse--;
    this.#free.push(slot);
  }

  #retire(slot: RequestSlot): void {
    this.#inUse--;
    const last = this.#all.pop()!;
    if (last === slot) return;
    this.#all[slot.poolIndex] = last;
    last.poolIndex = slot.poolIndex;
  }
}
