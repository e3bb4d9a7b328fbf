import { setTimeout as sleep } from 'node:timers/promises';
import type { Wave } from '../../k6/lib/sine.js';
import { arrivalTimesS } from './arrivals.js';
import type { OrderAnswer } from './order-client.js';

/** Arrivals that may wait for their answer; beyond it they are dropped, and the run is void. */
const OUTSTANDING_MAX = 10_000;

export interface Listener {
  offered(): void;
  dropped(): void;
  /**
   * @param latencyMs since the request was due, so that a generator that lags can't hide a slow
   *   server; since it was sent where the timer fired early, by up to a millisecond
   */
  answered(answer: OrderAnswer, latencyMs: number): void;
}

/**
 * Posts one order at each moment that the wave names, without waiting for earlier answers.
 * Resolves when the last answer has arrived.
 */
export async function generate(
  wave: Wave,
  post: () => Promise<OrderAnswer>,
  listener: Listener,
): Promise<void> {
  const startMs = performance.now();
  const outstanding = new Set<Promise<void>>();
  for (const dueS of arrivalTimesS(wave)) {
    const dueMs = startMs + dueS * 1000;
    const aheadMs = dueMs - performance.now();
    if (aheadMs > 0) await sleep(aheadMs);
    listener.offered();
    if (outstanding.size >= OUTSTANDING_MAX) {
      listener.dropped();
      continue;
    }
    const sinceMs = Math.min(dueMs, performance.now());
    const answered = post().then((answer) => {
      listener.answered(answer, performance.now() - sinceMs);
      outstanding.delete(answered);
    });
    outstanding.add(answered);
  }
  await Promise.all(outstanding);
}
