/**
 * The interfaces by which intake, validate and commit meet. One object of each a thread; all calls
 * are synchronous and on that thread.
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

export interface Committer {
  /**
   * Takes the order that `order` has just validated, which stays valid only for this call.
   * False when too many orders wait or the journal takes no writes: nothing was kept and the waiter
   * will not be called.
   */
  take(order: BodyValidator, waiter: Waiter): boolean;
}
