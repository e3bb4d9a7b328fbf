/** How long a need lasts at least, so that shares do not move with each burst. */
const MEMORY_MS = 2000;
/** A need is rounded up to such parts of the rate, so that small differences cost no write. */
const STEPS = 16;
const HEADROOM = 1.25;

/** Estimates how many orders this process could start in a second, from what it has started and what it was refused. */
export class ShareNeed {
  #shortAtMs = Number.NEGATIVE_INFINITY;
  /** The most in use in the present and the last period of memory. */
  #peaks = [0, 0];
  #periodSinceMs = 0;

  /** It could have started more than it has slots for. */
  short(nowMs: number): void {
    this.#shortAtMs = nowMs;
  }

  used(inUse: number, nowMs: number): void {
    if (nowMs - this.#periodSinceMs >= MEMORY_MS) {
      this.#peaks = [0, this.#peaks[0]!];
      this.#periodSinceMs = nowMs;
    }
    this.#peaks[0] = Math.max(this.#peaks[0]!, inUse);
  }

  /** At most `rate`. */
  slots(rate: number, nowMs: number): number {
    if (nowMs - this.#shortAtMs < MEMORY_MS) return rate;
    const peak = Math.max(...this.#peaks);
    if (peak === 0) return 0;
    const step = Math.ceil(rate / STEPS);
    return Math.min(rate, Math.ceil((peak * HEADROOM + 1) / step) * step);
  }
}
