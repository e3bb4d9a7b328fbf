import { performance } from 'node:perf_hooks';

/** The time of the answers to a frame. They are written one after the other, so the clock is read once. */
export class FrameClock {
  #frameId = '';
  #ms = 0;

  at(frameId: string): number {
    if (frameId !== this.#frameId) {
      this.#frameId = frameId;
      this.#ms = performance.now();
    }
    return this.#ms;
  }
}
