import type { HttpReply } from './http.js';
import type { Replies } from './reply.js';
import { RequestSlot, type SlotParts } from './request-slot.js';

/** Request slots, in use and free. It grows to the highest number of concurrent requests, less the retired slots. */
export class SlotPool {
  readonly #parts: SlotParts;
  readonly #replies: Replies;
  readonly #free: RequestSlot[] = [];
  /** Every slot that may be used again, in use or free; each slot knows its index here. */
  readonly #all: RequestSlot[] = [];
  #inUse = 0;

  /** @param replies those of a request without an origin */
  constructor(parts: Omit<SlotParts, 'release' | 'retire'>, replies: Replies) {
    this.#replies = replies;
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
    const slot = new RequestSlot(this.#parts, this.#all.length, this.#replies);
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

  /** Calls `keep` for each request whose body is arriving. */
  keepReading(keep: (res: HttpReply) => void): void {
    for (const slot of this.#all) slot.keepReading(keep);
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
