import { acceptedAtMs } from '../../k6/lib/order-time.js';
import { answers } from '../../src/model/answers.js';
import type { OrderAnswer } from './order-client.js';

/** What was answered within a stretch of time. */
export class Tally {
  offered = 0;
  /** Arrivals that were not sent, because too many were waiting for an answer. */
  dropped = 0;
  created = 0;
  refused = 0;
  busy = 0;
  other = 0;
  readonly #latenciesMs: number[] = [];
  readonly #acceptedMs: number[] = [];

  /** @param latencyMs since the moment the request was due, not since it was sent */
  record(answer: OrderAnswer, latencyMs: number): void {
    this.#latenciesMs.push(latencyMs);
    const accepted = acceptedAtMs(answer.orderId);
    if (is(answer, answers.created) && !Number.isNaN(accepted)) {
      this.created++;
      this.#acceptedMs.push(accepted);
    } else if (is(answer, answers.serverKaput)) this.refused++;
    else if (is(answer, answers.busy)) this.busy++;
    else this.other++;
  }

  get answered(): number {
    return this.#latenciesMs.length;
  }

  /** @returns the latencies in milliseconds at the given shares (0 to 1); 0 where nothing came */
  latenciesMs(shares: readonly number[]): number[] {
    const sorted = this.#latenciesMs.toSorted((a, b) => a - b);
    return shares.map((share) => sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
  }

  /** The most orders accepted in any second that begins at a multiple of `stepMs`, by server time. */
  acceptedInASecondMax(stepMs: number): number {
    const steps = 1000 / stepMs;
    const seconds = new Map<number, number>();
    for (const acceptedMs of this.#acceptedMs) {
      const last = Math.floor(acceptedMs / stepMs);
      for (let begin = last - steps + 1; begin <= last; begin++) {
        seconds.set(begin, (seconds.get(begin) ?? 0) + 1);
      }
    }
    let most = 0;
    for (const count of seconds.values()) most = Math.max(most, count);
    return most;
  }
}

function is(answer: OrderAnswer, expected: { status: number; body: string }): boolean {
  return answer.status === expected.status && answer.body === expected.body;
}
