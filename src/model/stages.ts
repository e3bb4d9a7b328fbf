import type { KeyedOrder } from './frame.js';

/**
 * The interfaces between the stages of the intake: schema, idempotency, commit and limit. Each intake thread has
 * its own objects; all calls are synchronous.
 */

/** Checks one body and can then write it as compact JSON, without building an object. */
export interface BodyValidator {
  /**
   * Checks `bytes[start, end)`, which must not change until `writeTo` was called. Keeps a reference to it until the
   * next call.
   */
  validate(bytes: Uint8Array, start: number, end: number): boolean;
  /** After `validate` returned false: the value of `x-invalid`, visible ASCII and spaces. */
  readonly fault: string;
  /** Bytes that `writeTo` will write for the body just validated, line feed included. */
  readonly compactLength: number;
  /** Writes the order just validated as one compact line; returns the offset after it. */
  writeTo(target: Uint8Array, offset: number): number;
  /**
   * Bytes that are the same for every spelling of the order just validated: other white space, member order, escapes.
   * Null if the compact line, without its line feed, is such bytes.
   */
  canonicalForm(): Uint8Array | null;
}

/** An order as one line of a frame. */
export type OrderLine = Pick<BodyValidator, 'compactLength' | 'writeTo'>;

/** Waits for the commit of one order. Exactly one method is called, once. */
export interface Waiter {
  /** The client has disconnected: its order need not be stored, and no new work should start for it. */
  readonly isGone: boolean;
  /** The order is durable under `<frameId>-<index>`. */
  accepted(frameId: string, index: number): void;
  /** The order was not stored. */
  refused(): void;
  /** It is unknown whether the order was stored. */
  ambiguous(): void;
}

/** Waits for the commit of one order with an idempotency key. */
export interface KeyedWaiter extends Waiter, Pick<KeyedOrder, 'key' | 'digest'> {
  /**
   * Called before all other methods: the id that the order will have. Called again if the order moves to a lower index,
   * because one before it was withdrawn.
   */
  placed(frameId: string, index: number): void;
  /** After `ambiguous`, one of these two may be called: the order was stored, or certainly not. */
  acceptedLate(): void;
  refusedLate(): void;
}

/**
 * Orders that are stored together or not at all: `bytes[0, length)` are `count` lines of a frame. Read during the call that
 * gets them only.
 */
export interface OrderBatch {
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly count: number;
}

/** Waits for the commit of a batch. `accepted` and `placed` give the place of its first order; the others follow it. */
export interface BatchWaiter extends Waiter {
  /**
   * Only where orders can fail one by one, see `VERDICT`.
   *
   * @param failed indexes in the batch of the orders that were refused: not all of them
   */
  acceptedInPart(frameId: string, index: number, failed: readonly number[]): void;
}

export interface KeyedBatchWaiter extends BatchWaiter, KeyedWaiter {}

export interface Committer {
  /**
   * Takes an order that has just been validated; `order` is read during this call only.
   *
   * @returns false when too many orders wait or the journal accepts no writes; then the order is not stored, and
   *   `waiter` is not called
   */
  take(order: OrderLine, waiter: Waiter): boolean;
  /** The same for an order with an idempotency key. */
  takeKeyed(order: OrderLine, waiter: KeyedWaiter): boolean;
  /** The same for a batch, whose orders get successive places in one frame. */
  takeBatch(batch: OrderBatch, waiter: BatchWaiter): boolean;
  takeKeyedBatch(batch: OrderBatch, waiter: KeyedBatchWaiter): boolean;
  /** The longest batch that fits into a frame; bytes. @param key its idempotency key, empty for none */
  batchBytesMax(key: string): number;
  /**
   * A waiter has become `isGone`. Before the next frame is sent, the orders of all such waiters are taken out of the
   * frames that have not been sent, and the waiters are called as refused. A frame that was sent keeps its orders.
   */
  withdrawGone(): void;
}

/**
 * The client that sent an order with an idempotency key. Exactly one method is called, once, possibly before
 * `KeyedIntake.take` returns.
 */
export interface KeyedClient extends Waiter, Replayed, KeyOwner {
  /** What follows the order in its line; empty for nothing. */
  readonly kept: Uint8Array;
}

/** The same for a batch. */
export interface KeyedBatchClient extends BatchWaiter, Replayed, KeyOwner {}

export interface KeyOwner {
  /** Whose keys it uses: those of others are other keys. Empty if all clients share them. */
  readonly owner: string;
}

export interface Replayed {
  /** The same order or batch was accepted before, with this id of its first order. */
  replayed(frameId: string, index: number): void;
  /** A different one was accepted with this key. */
  keyReused(): void;
}

/** Accepts orders with an idempotency key. */
export interface KeyedIntake {
  /**
   * Validates the body `bytes[0, length)`, which may be reused when this returns.
   *
   * @param key see `isIdempotencyKey`; `KEY_IN_BODY` if the body has it
   * @returns empty when `client` is or will be called; else the value of `x-invalid`, and `client` is not called
   */
  take(key: string, bytes: Uint8Array, length: number, client: KeyedClient): string;
  /**
   * The same for a batch that is valid. It has the key as a whole.
   *
   * @param canonical the canonical form of each order, see `BodyValidator`
   */
  takeBatch(
    key: string,
    batch: OrderBatch,
    canonical: readonly (Uint8Array | null)[],
    client: KeyedBatchClient,
  ): void;
}

/** Admits at most a fixed number in any window of time, over all threads that share its memory. */
export interface Limiter {
  /** That number. */
  readonly limit: number;
  /** True when admitted now; false when the window is full. Never blocks. */
  tryAdmit(): boolean;
  /** Admits so many at once, or none. Always false if that is more than `limit`. */
  tryAdmitBatch(size: number): boolean;
  /**
   * Milliseconds (fractional) until an admission of so many can succeed, 0 for now. Another thread may be admitted first.
   * Infinity if that is more than `limit`.
   */
  waitMs(size?: number): number;
}
