const NEVER_NOTIFIED = new Int32Array(new SharedArrayBuffer(4));

/** Stops this thread for `ms`, with all its timers and sockets. */
export function sleepThread(ms: number): void {
  Atomics.wait(NEVER_NOTIFIED, 0, 0, ms);
}
