import type { Allowance } from '../model/drain-control.js';

/** Limits the rate at which orders are processed. */
export interface Pacer {
  /** How many of `orders` may be processed now: 0 to `orders`. */
  take(orders: number): number;
  /** Milliseconds until `take` can grant an order; Infinity while nothing may start. */
  waitMs(): number;
}

/** No limit. */
export const unpaced: Pacer = {
  take: (orders) => orders,
  waitMs: () => 0,
};

const NS_PER_MS = 1e6;
const WINDOW_NS = 1e9;
/** A backlog is not processed in one burst per second, but in this many. */
const BURSTS_PER_SECOND = 20;

/** The most orders in one burst, for a rate in orders per second. */
export function burstOf(rate: number): number {
  return Math.ceil(rate / BURSTS_PER_SECOND);
}

interface Taken {
  readonly freeAtNs: number;
  readonly orders: number;
}

/**
 * At most as many orders in any second as the allowance has slots. It is asked anew each time, so a change is in force at
 * once: while more orders were taken in the last second than the slots are now, no order is granted.
 *
 * That alone would process a backlog in one burst per second. So a token bucket spreads the orders: it fills evenly with
 * the rate and holds one burst. A late timer costs nothing then, because the tokens of that time are still there.
 */
export class Pace implements Pacer {
  readonly #allowance: Allowance;
  /** As of a clock that all threads share; nanoseconds. */
  readonly #nowNs: () => number;
  /** Oldest first. */
  readonly #taken: Taken[] = [];
  #takenOrders = 0;
  #tokens = Number.POSITIVE_INFINITY;
  #filledAtNs = 0;

  constructor(allowance: Allowance, nowNs: () => number) {
    this.#allowance = allowance;
    this.#nowNs = nowNs;
    allowance.follow(this);
  }

  get inUse(): number {
    this.#free(this.#nowNs());
    return this.#takenOrders;
  }

  take(orders: number): number {
    const { slots } = this.#allowance;
    if (slots === Number.POSITIVE_INFINITY) return this.#takeUnlimited(orders);
    const nowNs = this.#nowNs();
    this.#free(nowNs);
    this.#fill(slots, nowNs);
    const room = Math.min(slots - this.#takenOrders, Math.floor(this.#tokens));
    const taken = Math.max(0, Math.min(orders, room));
    if (taken < orders) this.#allowance.want(Number.POSITIVE_INFINITY);
    if (taken === 0) return 0;
    this.#tokens -= taken;
    this.#takenOrders += taken;
    this.#taken.push({ freeAtNs: nowNs + WINDOW_NS, orders: taken });
    return taken;
  }

  waitMs(): number {
    const { slots } = this.#allowance;
    if (slots === 0) return Number.POSITIVE_INFINITY;
    if (slots === Number.POSITIVE_INFINITY) return 0;
    const nowNs = this.#nowNs();
    this.#free(nowNs);
    this.#fill(slots, nowNs);
    const tokenNs = ((1 - this.#tokens) / slots) * WINDOW_NS;
    return Math.max(0, tokenNs, this.#untilFreeNs(slots, nowNs)) / NS_PER_MS;
  }

  #takeUnlimited(orders: number): number {
    this.#taken.length = 0;
    this.#takenOrders = 0;
    this.#tokens = Number.POSITIVE_INFINITY;
    return orders;
  }

  /** Until fewer orders than `slots` were taken within a second. */
  #untilFreeNs(slots: number, nowNs: number): number {
    let orders = this.#takenOrders;
    for (const taken of this.#taken) {
      if (orders < slots) return 0;
      orders -= taken.orders;
      if (orders < slots) return taken.freeAtNs - nowNs;
    }
    return 0;
  }

  #free(nowNs: number): void {
    let freed = 0;
    while (freed < this.#taken.length && this.#taken[freed]!.freeAtNs <= nowNs) {
      this.#takenOrders -= this.#taken[freed++]!.orders;
    }
    if (freed > 0) this.#taken.splice(0, freed);
  }

  #fill(slots: number, nowNs: number): void {
    const filled = this.#tokens + ((nowNs - this.#filledAtNs) * slots) / WINDOW_NS;
    this.#tokens = Math.min(burstOf(slots), filled);
    this.#filledAtNs = nowNs;
  }
}
