/** Bounds of the wait before a retry, milliseconds. */
export interface BackoffBounds {
  readonly retryMsMin: number;
  readonly retryMsMax: number;
}

/**
 * Milliseconds to wait after `attempt` failed attempts. The time doubles with each attempt and has "equal jitter" (half
 * fixed, half random), so that orders that failed together are not retried together.
 * Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export function backoffMs(
  attempt: number,
  bounds: BackoffBounds,
  random: () => number = Math.random,
): number {
  const full = Math.min(bounds.retryMsMax, bounds.retryMsMin * 2 ** (attempt - 1));
  return Math.round(full / 2 + (random() * full) / 2);
}
