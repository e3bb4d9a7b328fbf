import { performance } from 'node:perf_hooks';
import type { Frame, KeyedOrder } from '../model/frame.js';
import type { BodyValidator, KeyedWaiter, Waiter } from '../model/stages.js';

/**
 * What an idempotency key adds to a frame besides itself: its order's position, the digest, two spaces.
 * In JetStream it travels in a header, which the server's bound on a message's bytes counts too.
 */
const KEY_BYTES = 32;

/** What NATS takes in all headers of one message, whatever its `max_payload`: it stores their length in 16 bits. */
const NATS_HEADER_BYTES_MAX = 64 * 1024 - 1;
/** The frame's other headers: id, count, times, 200 bytes in all, and what later versions may add. */
const OTHER_HEADER_BYTES = 8 * 1024;
/**
 * The bytes of all keys of a frame. A frame that is over what NATS takes would be refused for ever: 843 keys of a
 * UUID's length fit, or 597 of the longest.
 */
const FRAME_KEY_BYTES_MAX = NATS_HEADER_BYTES_MAX - OTHER_HEADER_BYTES;

/** Shared by all frames without keys; never written to. */
const NO_KEYS: KeyedOrder[] = [];

/** The bytes that an order's key takes of its frame's. */
export function keyBytes(key: string): number {
  return key.length + KEY_BYTES;
}

/**
 * A frame being filled, and those who wait for it. Reused: its buffer is as large as a frame may
 * get, so filling one never allocates.
 */
export class OpenFrame {
  readonly waiters: Waiter[] = [];
  /** Those of them whose orders have a key, by ascending position. */
  readonly keyed: KeyedWaiter[] = [];
  #keys = NO_KEYS;
  #keyBytes = 0;
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
    this.keyed.length = 0;
    this.#keys = NO_KEYS;
    this.#keyBytes = 0;
  }

  /**
   * @param bytes of the compact order
   * @param ofKey what its key adds to that; 0 for an order without one
   */
  hasRoomFor(bytes: number, ofKey: number): boolean {
    const allKeys = this.#keyBytes + ofKey;
    return (
      this.waiters.length < this.#ordersMax &&
      this.#bytes + allKeys + bytes <= this.#buffer.length &&
      allKeys <= FRAME_KEY_BYTES_MAX
    );
  }

  add(order: BodyValidator, waiter: Waiter): void {
    this.#bytes = order.writeTo(this.#buffer, this.#bytes);
    this.waiters.push(waiter);
  }

  addKeyed(order: BodyValidator, waiter: KeyedWaiter): void {
    const { key, digest } = waiter;
    const position = this.waiters.length;
    this.add(order, waiter);
    this.keyed.push(waiter);
    // A new array each time the frame is used: the journal may hold on to the one before.
    if (this.keyed.length === 1) this.#keys = [];
    this.#keys.push({ position, key, digest });
    this.#keyBytes += keyBytes(key);
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
      keys: this.#keys,
    };
  }
}
