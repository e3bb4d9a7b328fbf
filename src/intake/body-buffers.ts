/** Idle buffers kept for the next body that arrives in pieces; most arrive in one and need none. */
const IDLE_BUFFERS_MAX = 256;

/** Buffers of `--body-bytes-max` bytes in which bodies that arrive in several chunks are put together. */
export class BodyBuffers {
  readonly #bytes: number;
  readonly #idle: Buffer[] = [];

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  take(): Buffer {
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(this.#bytes);
  }

  giveBack(buffer: Buffer): void {
    if (this.#idle.length < IDLE_BUFFERS_MAX) this.#idle.push(buffer);
  }
}
