import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves after `ms`, or as soon as `signal` is aborted. Never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}

/** The pauses between the attempts of one step: each is twice as long as the last, up to a limit. */
export class Backoff {
  readonly #msMin: number;
  readonly #msMax: number;
  readonly #signal: AbortSignal;
  #nextMs: number;

  /** @param signal once aborted, `pause` returns at once */
  constructor(msMin: number, msMax: number, signal: AbortSignal) {
    this.#msMin = msMin;
    this.#msMax = msMax;
    this.#signal = signal;
    this.#nextMs = msMin;
  }

  /** Whether there was no pause since the start or the last reset, so that the current failure is the first. */
  get isFirst(): boolean {
    return this.#nextMs === this.#msMin;
  }

  async pause(): Promise<void> {
    const ms = this.#nextMs;
    this.#nextMs = Math.min(2 * ms, this.#msMax);
    await pause(ms, this.#signal);
  }

  /** Call it after a success. */
  reset(): void {
    this.#nextMs = this.#msMin;
  }
}

/** Limits of the delay before a retry; milliseconds. */
export interface BackoffBounds {
  readonly retryMsMin: number;
  readonly retryMsMax: number;
}

/**
 * The delay after `attempt` failed attempts, milliseconds. It doubles with each attempt and has "equal jitter"
 * (half fixed, half random), so that orders that failed together are not retried together. Source: M. Brooker,
 * "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export function backoffMs(
  attempt: number,
  bounds: BackoffBounds,
  random: () => number = Math.random,
): number {
  const full = Math.min(bounds.retryMsMax, bounds.retryMsMin * 2 ** (attempt - 1));
  return Math.round(full / 2 + (random() * full) / 2);
}
