import { setTimeout as sleep } from 'node:timers/promises';
import type { Limiter } from '../../model/limiter.js';

/** Hands out permission to file orders again: null for as fast as it goes. */
export class Pace {
  readonly #limiter: Limiter | null;

  constructor(limiter: Limiter | null) {
    this.#limiter = limiter;
  }

  /** Resolves with how many of `orders` may go now, at least 1; with 0 only when stopped. */
  async take(orders: number, stop: AbortSignal): Promise<number> {
    if (this.#limiter === null) return stop.aborted ? 0 : orders;
    while (!stop.aborted) {
      let taken = 0;
      while (taken < orders && this.#limiter.tryAdmit()) taken++;
      if (taken > 0) return taken;
      const waitMs = Math.max(1, Math.ceil(this.#limiter.waitMs()));
      await sleep(waitMs, undefined, { signal: stop }).catch(() => {});
    }
    return 0;
  }
}
