import type { Limiter } from '../model/stages.js';

/** Limits the rate at which orders are processed. */
export interface Pacer {
  /** How many of `orders` may be processed now: 0 to `orders`. */
  take(orders: number): number;
  /** Milliseconds until `take` can grant an order. */
  waitMs(): number;
}

/** No limit. */
export const unpaced: Pacer = {
  take: (orders) => orders,
  waitMs: () => 0,
};

/** Windows per second of the smoothing limiter. */
const SMOOTHING_PER_SECOND = 20;

/** Limit and window of the smoothing limiter for a rate in orders per second. */
export function smoothing(rate: number): { limit: number; windowMs: number } {
  const limit = Math.ceil(rate / SMOOTHING_PER_SECOND);
  return { limit, windowMs: (limit / rate) * 1000 };
}

/**
 * At most `--drain-rate` orders in any second, by the exact limiter. That limiter alone would process a backlog in one
 * burst per second, so a second limiter with a window of about 50 ms spreads the orders. Only this thread uses the second
 * limiter, so it can be checked first: it still has room after the exact limiter has admitted an order.
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
