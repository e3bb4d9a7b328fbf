/** Idle buffers kept for the next body that arrives in pieces; most arrive in one and need none. */
const IDLE_BUFFERS_MAX = 256;

/** Buffers of `--body-bytes-max` bytes in which bodies that arrive in several chunks are put together. */
export class BodyBuffers {
  readonly #bytes: number;
  readonly #idle: Uint8Array[] = [];

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /** A plain Uint8Array, as the validator wants it. */
  take(): Uint8Array {
    return this.#idle.pop() ?? new Uint8Array(this.#bytes);
  }

  giveBack(buffer: Uint8Array): void {
    if (this.#idle.length < IDLE_BUFFERS_MAX) this.#idle.push(buffer);
  }
}
