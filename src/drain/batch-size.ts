/** Orders of the first batch: few, because the time per order is not known yet. */
const FIRST_ORDERS = 8;
/** Weight of the newest batch in the moving average of milliseconds per order. */
const NEWEST_WEIGHT = 0.2;

/**
 * How many orders to hand to the handler at once: as many as take about `batchMsTarget`. So a slow handler settles often,
 * uses all threads and stops in time, and a fast one is not called for each order.
 */
export class BatchSize {
  readonly #ordersMax: number;
  readonly #msTarget: number;
  #orders: number;
  #msPerOrder = 0;

  constructor(ordersMax: number, msTarget: number) {
    this.#ordersMax = ordersMax;
    this.#msTarget = msTarget;
    this.#orders = Math.min(FIRST_ORDERS, ordersMax);
  }

  get orders(): number {
    return this.#orders;
  }

  /** How many orders one thread processes within `ms`; many while that is not known. */
  ordersWithin(ms: number): number {
    return this.#msPerOrder === 0 ? Number.POSITIVE_INFINITY : ms / this.#msPerOrder;
  }

  /** Records that a batch of `orders` took `handlerMs`. */
  record(orders: number, handlerMs: number): void {
    const sample = handlerMs / orders;
    this.#msPerOrder =
      this.#msPerOrder === 0
        ? sample
        : this.#msPerOrder * (1 - NEWEST_WEIGHT) + sample * NEWEST_WEIGHT;
    const fitting = this.#msPerOrder === 0 ? this.#ordersMax : this.#msTarget / this.#msPerOrder;
    // At most doubled: one batch that happened to be fast must not make the next one huge.
    this.#orders = Math.max(1, Math.floor(Math.min(fitting, this.#orders * 2, this.#ordersMax)));
  }
}
