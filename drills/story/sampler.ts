import { setTimeout as sleep } from 'node:timers/promises';
import { type Sample, takeSample } from './sample.js';

const EVERY_MS = 1000;

/** Looks at a server's metrics once a second. */
export class Sampler {
  readonly samples: Sample[] = [];
  readonly #adminUrl: string;
  readonly #onSample: (sample: Sample) => void;
  readonly #ended = new AbortController();
  #looking: Promise<void> = Promise.resolve();

  constructor(adminUrl: string, onSample: (sample: Sample) => void) {
    this.#adminUrl = adminUrl;
    this.#onSample = onSample;
  }

  /** @throws Error the first look failed */
  async begin(): Promise<void> {
    await this.#look();
    this.#looking = this.#lookOn();
  }

  /**
   * Goes on for another second, so that the pictures end with the rest after the wave, and looks a
   * last time, so that nothing that was counted is missing.
   *
   * @throws Error the last look failed
   */
  async end(): Promise<void> {
    await sleep(EVERY_MS);
    this.#ended.abort();
    await this.#looking;
    await this.#look();
  }

  async #look(): Promise<void> {
    const sample = await takeSample(this.#adminUrl);
    this.samples.push(sample);
    this.#onSample(sample);
  }

  /** At whole seconds since the first look, so that a slow answer does not shift those after it. */
  async #lookOn(): Promise<void> {
    const { signal } = this.#ended;
    const firstMs = performance.now();
    for (let n = 1; !signal.aborted; n++) {
      const aheadMs = firstMs + n * EVERY_MS - performance.now();
      if (aheadMs < -EVERY_MS) continue;
      await sleep(Math.max(0, aheadMs), undefined, { signal }).catch(() => {});
      // A look that fails leaves a longer step in the picture.
      if (!signal.aborted) await this.#look().catch(() => {});
    }
  }
}
