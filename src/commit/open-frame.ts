import { performance } from 'node:perf_hooks';
import type { Frame } from '../contract/frame.js';
import type { BodyValidator, Waiter } from '../contract/order-path.js';

/**
 * A frame being filled, and those who wait for it. Reused: its buffer is as large as a frame may
 * get, so filling one never allocates.
 */
export class OpenFrame {
  readonly waiters: Waiter[] = [];
  readonly #buffer: Buffer;
  readonly #ordersMax: number;
  #id = '';
  #openedAtMs = 0;
  #openedTickMs = 0;
  #sentTickMs = 0;
  #bytes = 0;

  constructor(ordersMax: number, bytesMax: number) {
    this.#ordersMax = ordersMax;
    this.#buffer = Buffer.allocUnsafeSlow(bytesMax);
  }

  get id(): string {
    return this.#id;
  }

  /** When it was opened, on the clock of `performance.now()`: steady when the wall clock is set. */
  get openedTickMs(): number {
    return this.#openedTickMs;
  }

  /** When it was sent, on the same clock. */
  get sentTickMs(): number {
    return this.#sentTickMs;
  }

  markSent(): void {
    this.#sentTickMs = performance.now();
  }

  /** Epoch milliseconds in `nowMs`: the frame counts as accepted when its first order is. */
  reset(id: string, nowMs: number): void {
    this.#id = id;
    this.#openedAtMs = nowMs;
    this.#openedTickMs = performance.now();
    this.#bytes = 0;
    this.waiters.length = 0;
  }

  hasRoomFor(compactBytes: number): boolean {
    return (
      this.waiters.length < this.#ordersMax && this.#bytes + compactBytes <= this.#buffer.length
    );
  }

  add(order: BodyValidator, waiter: Waiter): void {
    this.#bytes = order.writeTo(this.#buffer, this.#bytes);
    this.waiters.push(waiter);
  }

  /** What the journal gets. The payload is a view, valid until the next `reset`. */
  frame(): Frame {
    return {
      id: this.#id,
      count: this.waiters.length,
      payload: this.#buffer.subarray(0, this.#bytes),
      acceptedAtMs: this.#openedAtMs,
      attempt: 1,
      notBeforeMs: 0,
      refiled: null,
      keys: [],
    };
  }
}
