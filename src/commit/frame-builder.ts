import { performance } from 'node:perf_hooks';
import { type Frame, type KeyedOrder, schemaMember } from '../model/frame.js';
import type { KeyedWaiter, OrderBatch, OrderLine, Waiter } from '../model/stages.js';

/**
 * Bytes that an idempotency key adds to a frame besides its own characters: its order's position, the digest and two
 * spaces. In JetStream they are in a header, which counts towards the server's limit for a message.
 */
const KEY_BYTES = 32;

/** Limit of NATS for all headers of one message, whatever `max_payload` is: their length is stored in 16 bits. */
const NATS_HEADER_BYTES_MAX = 64 * 1024 - 1;
/** Reserved for the frame's other headers: id, count and times take 200 bytes, the rest is for later versions. */
const OTHER_HEADER_BYTES = 8 * 1024;
/**
 * Limit for all keys of a frame: 843 keys of the length of a UUID, or 597 of the maximum length. NATS would refuse a
 * larger frame at every attempt.
 */
const FRAME_KEY_BYTES_MAX = NATS_HEADER_BYTES_MAX - OTHER_HEADER_BYTES;

const NEWLINE = 10;

/** Shared by all frames without keys; never modified. */
const NO_KEYS: KeyedOrder[] = [];

/** Bytes that an order's key takes of its frame. */
export function keyBytes(key: string): number {
  return key.length + KEY_BYTES;
}

/**
 * A frame while it is filled and committed, and the waiters of its orders. Builders are reused: the buffer has the maximum
 * size of a frame, so that filling a frame never allocates.
 */
export class FrameBuilder {
  readonly waiters: Waiter[] = [];
  /** The waiters whose orders have a key, by ascending position. */
  readonly keyed: KeyedWaiter[] = [];
  #keys = NO_KEYS;
  #keyBytes = 0;
  readonly #buffer: Buffer;
  readonly #ordersMax: number;
  readonly #schema: Pick<Frame, 'schema'>;
  #id = '';
  #acceptedAtMs = 0;
  #startedTickMs = 0;
  #sentTickMs = 0;
  #bytes = 0;
  #requests = 0;

  /** @param schema digest of the schema that its orders are valid against */
  constructor(ordersMax: number, bytesMax: number, schema: string) {
    this.#ordersMax = ordersMax;
    this.#schema = schemaMember(schema);
    this.#buffer = Buffer.allocUnsafeSlow(bytesMax);
  }

  get id(): string {
    return this.#id;
  }

  /** When the frame was started, on the monotonic clock of `performance.now()`. */
  get startedTickMs(): number {
    return this.#startedTickMs;
  }

  /** When the frame was sent, on the same clock. */
  get sentTickMs(): number {
    return this.#sentTickMs;
  }

  /** Orders that came alone, and batches. */
  get requests(): number {
    return this.#requests;
  }

  markSent(): void {
    this.#sentTickMs = performance.now();
  }

  /** Starts a new frame. @param nowMs epoch milliseconds; the frame counts as accepted when it is started */
  start(id: string, nowMs: number): void {
    this.#id = id;
    this.#acceptedAtMs = nowMs;
    this.#startedTickMs = performance.now();
    this.#bytes = 0;
    this.#requests = 0;
    this.waiters.length = 0;
    this.keyed.length = 0;
    this.#keys = NO_KEYS;
    this.#keyBytes = 0;
  }

  /**
   * @param orderBytes length of the compact orders
   * @param bytesOfKey bytes that their key adds; 0 without a key
   */
  hasRoomFor(orders: number, orderBytes: number, bytesOfKey: number): boolean {
    const allKeys = this.#keyBytes + bytesOfKey;
    return (
      this.waiters.length + orders <= this.#ordersMax &&
      this.#bytes + allKeys + orderBytes <= this.#buffer.length &&
      allKeys <= FRAME_KEY_BYTES_MAX
    );
  }

  add(order: OrderLine, waiter: Waiter): void {
    this.#requests++;
    this.#bytes = order.writeTo(this.#buffer, this.#bytes);
    this.waiters.push(waiter);
  }

  addKeyed(order: OrderLine, waiter: KeyedWaiter): void {
    this.#pushKeyed(waiter, -1);
    this.add(order, waiter);
  }

  /** The waiter is called once for each order. */
  addBatch({ bytes, length, count }: OrderBatch, waiter: Waiter): void {
    this.#requests++;
    this.#buffer.set(bytes.subarray(0, length), this.#bytes);
    this.#bytes += length;
    for (let i = 0; i < count; i++) this.waiters.push(waiter);
  }

  /** The key is that of the first order. */
  addKeyedBatch(batch: OrderBatch, waiter: KeyedWaiter): void {
    this.#pushKeyed(waiter, -1);
    this.addBatch(batch, waiter);
  }

  /** Call it before the waiter itself is added. @param from the index that it had before; -1 for none */
  #pushKeyed(waiter: KeyedWaiter, from: number): void {
    const { key, digest } = waiter;
    const position = this.waiters.length;
    if (position !== from) waiter.placed(this.#id, position);
    this.keyed.push(waiter);
    // A new array for each frame, because the journal may still use the previous one.
    if (this.keyed.length === 1) this.#keys = [];
    this.#keys.push({ position, key, digest });
    this.#keyBytes += keyBytes(key);
  }

  /**
   * Takes out the orders whose clients have disconnected. The orders behind them move up, which `placed` tells the
   * waiters with a key. Call it only before the frame is sent.
   *
   * @returns the waiters of the orders taken out
   */
  removeGone(): readonly Waiter[] {
    if (!this.waiters.some(({ isGone }) => isGone)) return [];
    const waiters = this.waiters.splice(0);
    const keyed = this.keyed.splice(0);
    this.#bytes = 0;
    this.#requests = 0;
    this.#keys = NO_KEYS;
    this.#keyBytes = 0;
    const gone: Waiter[] = [];
    let keyedSeen = 0;
    let lineStart = 0;
    for (const [index, waiter] of waiters.entries()) {
      const lineEnd = this.#buffer.indexOf(NEWLINE, lineStart) + 1;
      const isKeyed = keyed[keyedSeen] === waiter;
      if (isKeyed) keyedSeen++;
      if (waiter.isGone) {
        gone.push(waiter);
      } else {
        this.#buffer.copyWithin(this.#bytes, lineStart, lineEnd);
        this.#bytes += lineEnd - lineStart;
        if (isKeyed) this.#pushKeyed(waiter as KeyedWaiter, index);
        // The orders of a batch follow each other.
        if (this.waiters.at(-1) !== waiter) this.#requests++;
        this.waiters.push(waiter);
      }
      lineStart = lineEnd;
    }
    return gone;
  }

  /** The frame for the journal. The payload is a view, valid until the next `start`. */
  frame(): Frame {
    return {
      id: this.#id,
      count: this.waiters.length,
      payload: this.#buffer.subarray(0, this.#bytes),
      acceptedAtMs: this.#acceptedAtMs,
      attempt: 1,
      notBeforeMs: 0,
      refiled: null,
      ...this.#schema,
      keys: this.#keys,
    };
  }
}
