import { type OrderPath, RequestSlot } from './request-slot.js';

/** Request slots in use and free. As many exist as there were requests at once, less the retired. */
export class SlotPool {
  readonly #path: OrderPath;
  readonly #free: RequestSlot[] = [];
  /** Every slot that may be used again, in use or not; a slot knows its place in it. */
  readonly #all: RequestSlot[] = [];
  #inUse = 0;

  constructor(path: Omit<OrderPath, 'release' | 'retire'>) {
    this.#path = {
      ...path,
      release: (slot) => this.#release(slot),
      retire: (slot) => this.#retire(slot),
    };
  }

  acquire(): RequestSlot {
    this.#inUse++;
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const slot = new RequestSlot(this.#path, this.#all.length);
    this.#all.push(slot);
    return slot;
  }

  get inUse(): number {
    return this.#inUse;
  }

  /** Cuts off the requests whose body has been on its way since before `startedMs`. */
  cutOffReadingSince(startedMs: number): void {
    // Backwards, because a slot that retires moves the last one into its place.
    for (let i = this.#all.length - 1; i >= 0; i--) {
      const slot = this.#all[i]!;
      if (slot.isReading && slot.startedMs < startedMs) slot.cutOff();
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
    this.#all[slot.place] = last;
    last.place = slot.place;
  }
}
