import { readFileSync } from 'node:fs';
import {
  EXIT_BY_SIGNAL,
  STOP_SIGNALS,
  type StopSignal,
  type StopSignals,
} from '../model/stop-signals.js';

/** Node handles these from its start on. */
const OF_NODE: readonly StopSignal[] = ['SIGTERM', 'SIGINT'];

/**
 * Handles the stop signals from its construction on. The first thing that the command makes: process 1 of a container
 * loses each signal that arrives before.
 */
export class ProcessSignals implements StopSignals {
  readonly #lost: StopSignal | null;
  #handle: (signal: StopSignal) => void = endBy;

  constructor() {
    const listen = (signal: StopSignal) => process.on(signal, () => this.#handle(signal));
    // The first call of each takes Node a while.
    for (const signal of STOP_SIGNALS) if (!OF_NODE.includes(signal)) listen(signal);
    if (process.pid === 1) statusOfProcess();
    // Nothing else may be between these two lines: a signal that arrives there is lost.
    const status = process.pid === 1 ? statusOfProcess() : null;
    for (const signal of OF_NODE) listen(signal);
    this.#lost = status === null ? null : lostSignal(status);
  }

  onStop(handle: (signal: StopSignal) => void): void {
    this.#handle = handle;
  }

  reset(): void {
    this.#handle = endBy;
  }

  /** Handles the signal that arrived while Node itself was starting, if one did. */
  handleLost(): void {
    if (this.#lost !== null) this.#handle(this.#lost);
  }
}

/** Ends the process as the unhandled signal would. */
function endBy(signal: StopSignal): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // Still here: this is process 1.
  process.exit(EXIT_BY_SIGNAL[signal]);
}

function statusOfProcess(): string {
  try {
    return readFileSync('/proc/self/status', 'utf8');
  } catch {
    return '';
  }
}

/**
 * The signal that process 1 got while Node was starting. Node handles SIGTERM and SIGINT first of all, by a handler
 * that serves once and raises the signal again, which the kernel discards for process 1. So a handler of the two that
 * is gone tells. If both are gone, this Node may have none: then nothing is known.
 *
 * @param status the text of /proc/self/status, before any signal is handled in JavaScript
 */
export function lostSignal(status: string): StopSignal | null {
  const caught = BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const [hasInt, hasTerm] = [2n, 15n].map((signal) => ((caught >> (signal - 1n)) & 1n) === 1n);
  if (hasInt === hasTerm) return null;
  return hasInt ? 'SIGTERM' : 'SIGINT';
}
