/** Wakes whoever waits; a ring with nobody waiting is kept for the next who does. */
export class Doorbell {
  #rung = false;
  #wake: (() => void) | null = null;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Resolves at the next ring, after `ms`, or when `signal` is aborted, whichever is first. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        const wake = () => {
          clearTimeout(timer);
          resolve();
        };
        this.#wake = wake;
        signal.addEventListener('abort', wake, { once: true });
      }).finally(() => {
        if (this.#wake !== null) signal.removeEventListener('abort', this.#wake);
        this.#wake = null;
      });
    }
    this.#rung = false;
  }
}
