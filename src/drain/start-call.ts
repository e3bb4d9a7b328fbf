import type { StartGate } from '../memory/start-gate.js';
import type { StartedCalls } from '../memory/started-calls.js';

/** A thread that needs longer to ask the gate was interrupted. */
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
 * true. Where the thread, or the whole process, was stopped between the question to the gate and the note, it asks again.
 * What is noted is seen by others at once, so nothing may come between the reading of the clock, the note and the call.
 */
export function startCall(
  { gate, calls, nowNs, nowMs }: StartParts,
  call: number,
  epoch: number,
): boolean {
  for (;;) {
    const askedNs = nowNs();
    if (!gate.admits(epoch, askedNs, nowMs())) return false;
    const startNs = nowNs();
    if (startNs - askedNs >= INTERRUPTED_NS) continue;
    calls.start(call, startNs);
    return true;
  }
}
