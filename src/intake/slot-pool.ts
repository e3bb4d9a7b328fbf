import { type OrderPath, RequestSlot } from './request-slot.js';

/** Request slots in use and free. As many exist as there were requests at once, less the retired. */
export class SlotPool {
  readonly #path: OrderPath;
  readonly #free: RequestSlot[] = [];
  readonly #inUse = new Set<RequestSlot>();

  constructor(path: Omit<OrderPath, 'release'>) {
    this.#path = { ...path, release: (slot) => this.#release(slot) };
  }

  acquire(): RequestSlot {
    const slot = this.#free.pop() ?? new RequestSlot(this.#path);
    this.#inUse.add(slot);
    return slot;
  }

  get inUse(): number {
    return this.#inUse.size;
  }

  /** Cuts off the requests whose body has been on its way since before `startedMs`. */
  cutOffReadingSince(startedMs: number): void {
    for (const slot of this.#inUse) {
      if (slot.isReading && slot.startedMs < startedMs) slot.cutOff();
    }
  }

  #release(slot: RequestSlot): void {
    this.#inUse.delete(slot);
    if (slot.isFree) this.#free.push(slot);
  }
}
