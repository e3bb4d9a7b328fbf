import type { Limiter } from '../model/stages.js';

/** Hands out permission to process orders. */
export interface Pacer {
  /** How many of `orders` may be processed now: 0 to `orders`. */
  take(orders: number): number;
  /** Milliseconds until `take` can give anything. */
  waitMs(): number;
}

/** As fast as the pool can. */
export const unpaced: Pacer = {
  take: (orders) => orders,
  waitMs: () => 0,
};

/** Windows a second that the smoothing limiter of a paced drain spreads its orders over. */
const SMOOTHING_PER_SECOND = 20;

/** Bound and window of the smoothing limiter for a rate in orders a second. */
export function smoothing(rate: number): { limit: number; windowMs: number } {
  const limit = Math.ceil(rate / SMOOTHING_PER_SECOND);
  return { limit, windowMs: (limit / rate) * 1000 };
}

/**
 * At most `--drain-rate` orders in any second, by the exact limiter. That one alone would let a
 * backlog through in one burst at the start of each second, again and again; so a second limiter,
 * with a window of about 50 ms, spreads them. It is owned by this thread alone, hence the look
 * before the leap: what it has room for, it still has room for after the other one admitted.
 */
export class SteadyPacer implements Pacer {
  readonly #perSecond: Limiter;
  readonly #smooth: Limiter;

  constructor(perSecond: Limiter, smooth: Limiter) {
    this.#perSecond = perSecond;
    this.#smooth = smooth;
  }

  take(orders: number): number {
    let taken = 0;
    while (taken < orders && this.#smooth.waitMs() === 0 && this.#perSecond.tryAdmit()) {
      this.#smooth.tryAdmit();
      taken++;
    }
    return taken;
  }

  waitMs(): number {
    return Math.max(this.#smooth.waitMs(), this.#perSecond.waitMs());
  }
}
