/** Requests per millisecond from which on small frames are held. Fewer would hardly fill a frame in `HOLD_MS_MAX`. */
const RATE_MIN = 5;
/** With so many orders, the fixed cost of a frame is shared by enough of them. */
const ORDERS_ENOUGH = 16;
/** The longest hold, from the start of the frame on. */
const HOLD_MS_MAX = 0.7;
/** The longest sleep. Requests come in bunches, so a longer one often ends after the bunch has come. */
const GUESS_MS_MAX = 0.2;
/** Less is not worth a sleep. */
const GUESS_MS_MIN = 0.1;
/** The rates are those of the last full interval, the peak that of the present interval and the one before it. */
const INTERVAL_MS = 100;

/**
 * Says for how long to hold a small frame back while requests come at a high rate, so that more orders share a frame's fixed
 * cost. A frame is not held if half as many requests wait as ever did in the last interval: then many clients wait for
 * an answer, and few other orders will come before. So clients that each wait for their last answer are hardly slowed down.
 */
export class Gathering {
  /** A frame of so many orders is not held. */
  readonly #ordersEnough: number;
  #intervalStartMs = 0;
  #requests = 0;
  #orders = 0;
  /** Requests without an answer, also those of frames in flight. A batch is one. */
  #waiting = 0;
  /** Per millisecond in the last interval. */
  #requestRate = 0;
  #orderRate = 0;
  /** The most that waited when a frame could be sent. */
  #peak = 0;
  #peakBefore = 0;

  /** @param frameOrdersMax of a frame that is full */
  constructor(frameOrdersMax: number) {
    this.#ordersEnough = Math.min(ORDERS_ENOUGH, frameOrdersMax);
  }

  requestArrived(orders: number): void {
    this.#requests++;
    this.#orders += orders;
    this.#waiting++;
  }

  requestsAnswered(requests: number): void {
    this.#waiting -= requests;
  }

  /**
   * For how long to hold a frame before this is asked again, ms; 0: it should be sent.
   *
   * @param orders in the frame
   * @param startedMs when the frame was started, on the clock of `nowMs`
   * @param nowMs on a monotonic clock
   */
  holdMs(orders: number, startedMs: number, nowMs: number): number {
    this.#see(nowMs);
    if (this.#requestRate < RATE_MIN) return 0;
    const missingOrders = this.#ordersEnough - orders;
    const missingRequests = Math.max(this.#peak, this.#peakBefore) / 2 - this.#waiting;
    const ms = Math.min(
      startedMs + HOLD_MS_MAX - nowMs,
      missingOrders / this.#orderRate,
      missingRequests / this.#requestRate,
      GUESS_MS_MAX,
    );
    return ms < GUESS_MS_MIN ? 0 : ms;
  }

  #see(nowMs: number): void {
    const passedMs = nowMs - this.#intervalStartMs;
    if (passedMs >= INTERVAL_MS) {
      this.#requestRate = this.#requests / passedMs;
      this.#orderRate = this.#orders / passedMs;
      this.#peakBefore = passedMs < 2 * INTERVAL_MS ? this.#peak : 0;
      this.#peak = 0;
      this.#requests = 0;
      this.#orders = 0;
      this.#intervalStartMs = nowMs;
    }
    if (this.#waiting > this.#peak) this.#peak = this.#waiting;
  }
}
