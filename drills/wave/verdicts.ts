import { acceptedAtMs } from '../../k6/lib/order-time.js';
import { shareAbove } from '../../k6/lib/sine.js';
import { answers } from '../../src/model/answers.js';
import type { WaveOptions } from './options.js';
import type { OrderAnswer } from './order-client.js';
import type { Watched } from './server-watch.js';

/** One thing that the run had to show. */
export interface Verdict {
  readonly ok: boolean;
  readonly text: string;
}

/** How far the share of refusals may be from what the sine says. */
const SHARE_TOLERANCE = 0.02;
/** A second may begin anywhere: looked at are those that begin at a quarter of one. */
const SECOND_STEP_MS = 250;

/** @param watched what the server counted, or null when nobody looked */
export function judge(options: WaveOptions, tally: Tally, watched: Watched | null): Verdict[] {
  const verdicts = [equal('requests that were due but not sent', tally.dropped, 0)];
  if (options.mode === 'direct') verdicts.push(...judgeDirect(options, tally));
  else verdicts.push(equal('answers other than 200', tally.answered - tally.created, 0));
  if (watched !== null) verdicts.push(...judgeServer(options, tally, watched));
  return verdicts;
}

function judgeDirect({ limitRps, wave }: WaveOptions, tally: Tally): Verdict[] {
  const expected = shareAbove(limitRps, wave);
  const share = tally.refused / Math.max(1, tally.answered);
  return [
    equal('answers other than 200 and 500', tally.busy + tally.other, 0),
    atMost('most 200s in a second', tally.acceptedInASecondMax(SECOND_STEP_MS), limitRps),
    {
      ok: Math.abs(share - expected) <= SHARE_TOLERANCE,
      text: `share of 500s: ${percent(share)}, the sine says ${percent(expected)}`,
    },
  ];
}

function judgeServer(options: WaveOptions, tally: Tally, watched: Watched): Verdict[] {
  const verdicts = [equal('orders processed', watched.doneOrders, tally.created)];
  if (options.mode === 'direct') return verdicts;
  verdicts.push(equal('orders that still wait', watched.pendingOrders, 0));
  if (options.drainRps > 0) {
    const { doneInASecondMax, windows } = watched;
    const text = `most processed in a second, of ${windows} looked at`;
    const pace = atMost(text, doneInASecondMax, options.drainRps);
    verdicts.push({ ...pace, ok: pace.ok && windows > 0 });
  }
  return verdicts;
}

function equal(what: string, seen: number, expected: number): Verdict {
  return { ok: seen === expected, text: `${what}: ${seen}, expected ${expected}` };
}

function atMost(what: string, seen: number, most: number): Verdict {
  return { ok: seen <= most, text: `${what}: ${seen}, at most ${most}` };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

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
