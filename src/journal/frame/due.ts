/**
 * Milliseconds until a frame is due; 0 when it is. No retry is ever put off for longer than `retryMsMax`, so one that
 * seems to be was filed before the clock was set back, and is due now rather than when the clock has caught up.
 *
 * @param notBeforeMs epoch milliseconds
 */
export function untilDueMs(notBeforeMs: number, nowMs: number, retryMsMax: number): number {
  const waitMs = notBeforeMs - nowMs;
  return waitMs > retryMsMax ? 0 : Math.max(0, waitMs);
}
