import type { BatchWaiter, KeyedBatchWaiter, KeyedWaiter, Waiter } from '../model/stages.js';

/** Stands in a frame for each order of a batch. When each has its verdict, the waiter of the batch is called once. */
export class BatchOrders implements Waiter {
  protected readonly waiter: BatchWaiter;
  readonly #count: number;
  #frameId = '';
  #firstIndex = 0;
  #verdicts = 0;
  #isAmbiguous = false;
  readonly #failed: number[] = [];

  constructor(waiter: BatchWaiter, count: number) {
    this.waiter = waiter;
    this.#count = count;
  }

  get isGone(): boolean {
    return this.waiter.isGone;
  }

  accepted(frameId: string, index: number): void {
    this.#frameId = frameId;
    this.#firstIndex = index - this.#verdicts;
    this.#next();
  }

  refused(): void {
    this.#failed.push(this.#verdicts);
    this.#next();
  }

  ambiguous(): void {
    this.#isAmbiguous = true;
    this.#next();
  }

  #next(): void {
    if (++this.#verdicts < this.#count) return;
    if (this.#isAmbiguous) this.waiter.ambiguous();
    else if (this.#failed.length === 0) this.waiter.accepted(this.#frameId, this.#firstIndex);
    else if (this.#failed.length === this.#count) this.waiter.refused();
    else this.waiter.acceptedInPart(this.#frameId, this.#firstIndex, this.#failed);
  }
}

/** The same for a batch with an idempotency key, which is that of its first order in the frame. */
export class KeyedBatchOrders extends BatchOrders implements KeyedWaiter {
  declare protected readonly waiter: KeyedBatchWaiter;

  get key(): string {
    return this.waiter.key;
  }

  get digest(): string {
    return this.waiter.digest;
  }

  placed(frameId: string, index: number): void {
    this.waiter.placed(frameId, index);
  }

  acceptedLate(): void {
    this.waiter.acceptedLate();
  }

  refusedLate(): void {
    this.waiter.refusedLate();
  }
}
