/** How many orders were accepted before a moment. */
interface Point {
  readonly atMs: number;
  readonly orders: number;
}

/** With one point more, the older half keeps every other one: a long backlog is known less exactly at its start. */
const POINTS_MAX = 8192;

/** How many orders were accepted by when: the place of a frame in line follows from its time. Bounded memory. */
export class AcceptedLine {
  #points: Point[] = [];

  /**
   * @param atMs epoch milliseconds
   * @param orders those that were accepted before; never decreases
   */
  add(atMs: number, orders: number): void {
    const last = this.#points.at(-1);
    // Also when the clock was set back.
    if (last !== undefined && atMs <= last.atMs) return;
    // Of many that are the same, the first and the last are enough.
    if (last?.orders === orders && this.#points.at(-2)?.orders === orders) this.#points.pop();
    this.#points.push({ atMs, orders });
    if (this.#points.length <= POINTS_MAX) return;
    const half = POINTS_MAX / 2;
    this.#points = this.#points.filter((_, i) => i >= half || i % 2 === 0);
  }

  /** Orders accepted before `atMs`; between two points, by the share of time. */
  ordersBefore(atMs: number): number {
    const points = this.#points;
    let [low, high] = [0, points.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (points[middle]!.atMs <= atMs) low = middle + 1;
      else high = middle;
    }
    const [before, after] = [points[low - 1], points[low]];
    if (before === undefined) return 0;
    if (after === undefined) return before.orders;
    const share = (atMs - before.atMs) / (after.atMs - before.atMs);
    return before.orders + share * (after.orders - before.orders);
  }
}
