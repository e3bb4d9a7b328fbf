import type { StartGate } from '../memory/start-gate.js';
import type { StartedCalls } from '../memory/started-calls.js';

/** A thread that needs longer from one statement to the next was interrupted: its start is noted anew. */
const INTERRUPTED_NS = 1e6;

export interface StartParts {
  readonly gate: Pick<StartGate, 'admits'>;
  readonly calls: Pick<StartedCalls, 'start'>;
  /** A monotonic clock that all threads share. */
  readonly nowNs: () => number;
  /** The wall clock; epoch milliseconds. */
  readonly nowMs: () => number;
}

/**
 * Called by a pool thread directly before it calls the handler. If that may still start, notes when it does, and returns
 * true. The time that is noted is less than a millisecond before the return: where the thread, or the whole process, was
 * stopped in between, it asks the gate again.
 */
export function startCall(
  { gate, calls, nowNs, nowMs }: StartParts,
  call: number,
  epoch: number,
): boolean {
  for (;;) {
    const atNs = nowNs();
    if (!gate.admits(epoch, atNs, nowMs())) return false;
    calls.start(call, atNs);
    if (nowNs() - atNs < INTERRUPTED_NS) return true;
  }
}
