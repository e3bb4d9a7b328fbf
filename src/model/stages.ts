import type { KeyedOrder } from './frame.js';

/**
 * The interfaces by which intake, validate, idempotency and commit meet. One object of each a thread;
 * all calls are synchronous and on that thread.
 */

/** Checks one body and can then write it, compact, without building an object of it. */
export interface BodyValidator {
  /**
   * 0 when valid, else a fault code. Looks at `bytes[start, end)` only, which must stay as it is until
   * `writeTo` was called; keeps it only until the next call.
   */
  validate(bytes: Uint8Array, start: number, end: number): number;
  /** Bytes that `writeTo` will write for the body just found valid, its line end included. */
  readonly compactLength: number;
  /** Writes the order just validated as one compact line; returns the offset behind it. */
  writeTo(target: Uint8Array, offset: number): number;
  /** The `x-invalid` header value of a fault code: ASCII, prebuilt. */
  faultText(code: number): string;
}

/** Whoever waits for its order's frame. Exactly one of the three is called, once. */
export interface Waiter {
  /** The order is durable under `<frameId>-<index>`. */
  accepted(frameId: string, index: number): void;
  /** Nothing was kept. */
  refused(): void;
  /** Nobody knows whether it was kept. */
  ambiguous(): void;
}

/** Whoever waits for an order with an idempotency key to become durable. */
export interface KeyedWaiter extends Waiter, Pick<KeyedOrder, 'key' | 'digest'> {
  /** Called once, before all others: where the order will be. */
  placed(frameId: string, index: number): void;
  /** After `ambiguous`, if ever, one of these: it was kept after all; for certain it was not. */
  acceptedLate(): void;
  refusedLate(): void;
}

export interface Committer {
  /**
   * Takes the order that `order` has just validated, which stays valid only for this call.
   * False when too many orders wait or the journal takes no writes: nothing was kept and the waiter
   * will not be called.
   */
  take(order: BodyValidator, waiter: Waiter): boolean;
  /** The same for an order whose key is to be remembered with it. */
  takeKeyed(order: BodyValidator, waiter: KeyedWaiter): boolean;
}

/** Characters of an idempotency key. */
export const IDEMPOTENCY_KEY_CHARS_MAX = 64;

/**
 * The client behind an order with an idempotency key. Exactly one of its methods is called, once, and possibly
 * before `KeyedIntake.take` returns.
 */
export interface KeyedClient extends Waiter {
  /** It went away: nothing should be begun for it any more. */
  readonly isGone: boolean;
  /** This order was accepted before, under that id. */
  replayed(frameId: string, index: number): void;
  /** Another order was accepted under this key. */
  keyReused(): void;
}

/** Takes orders that come with an idempotency key. */
export interface KeyedIntake {
  /**
   * Judges the body `bytes[0, length)`, which is not needed any more when this returns. 0 when the client
   * is or will be called; else a fault code, and it is not.
   *
   * @param key visible ASCII characters, at least one and at most `IDEMPOTENCY_KEY_CHARS_MAX`
   */
  take(key: string, bytes: Uint8Array, length: number, client: KeyedClient): number;
}

/** Admits at most so many in any window of time, across all threads that share its memory. */
export interface Limiter {
  /** True when admitted now; false when the window is full. Never blocks. */
  tryAdmit(): boolean;
  /** Milliseconds (fractional) until an admission can succeed; 0 when one could now. A hint: another thread may be first. */
  waitMs(): number;
}
