/** The smallest buffer. Most bodies fit into it. */
const BUFFER_BYTES_MIN = 4096;
/** Memory of idle buffers that are kept for later bodies. Most bodies arrive in one piece and need none. */
const IDLE_BYTES_MAX = 4 * 1024 * 1024;
/**
 * Memory of all bodies that are arriving, per thread. A client that sends its body slowly holds at most twice what it has
 * sent so far; beyond this bound, further pieces are refused.
 */
const BODIES_BYTES_MAX = 128 * 1024 * 1024;

/** Buffers in which bodies that arrive in several pieces are put together. They grow with what has arrived. */
export class BodyBuffers {
  readonly #bytesMax: number;
  readonly #totalBytesMax: number;
  /** Idle buffers by size: index i has those of `BUFFER_BYTES_MIN << i` bytes, the last one those of `bytesMax`. */
  readonly #idle: Uint8Array[][];
  #idleBytes = 0;
  #usedBytes = 0;

  /** @param bytesMax of one body */
  constructor(bytesMax: number, totalBytesMax = BODIES_BYTES_MAX) {
    this.#bytesMax = bytesMax;
    this.#totalBytesMax = totalBytesMax;
    const doublings = Math.max(0, Math.ceil(Math.log2(bytesMax / BUFFER_BYTES_MIN)));
    this.#idle = Array.from({ length: doublings + 1 }, () => []);
  }

  /** Memory of the buffers that are in use. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /**
   * A plain Uint8Array, as the validator expects, with room for `bytes`; null if all memory for bodies is in use.
   *
   * @param before the body so far, which moves into the new buffer; null for none
   */
  grown(before: Uint8Array | null, bytesBefore: number, bytes: number): Uint8Array | null {
    if (before !== null && bytes <= before.length) return before;
    const place = this.#placeOf(bytes);
    const size = this.#sizeAt(place);
    if (this.#usedBytes + size - (before?.length ?? 0) > this.#totalBytesMax) return null;
    const buffer = this.#take(place, size);
    if (before !== null) {
      buffer.set(before.subarray(0, bytesBefore));
      this.giveBack(before);
    }
    return buffer;
  }

  giveBack(buffer: Uint8Array): void {
    this.#usedBytes -= buffer.length;
    if (this.#idleBytes + buffer.length > IDLE_BYTES_MAX) return;
    this.#idleBytes += buffer.length;
    this.#idle[this.#placeOf(buffer.length)]!.push(buffer);
  }

  #take(place: number, size: number): Uint8Array {
    this.#usedBytes += size;
    const idle = this.#idle[place]!.pop();
    if (idle === undefined) return new Uint8Array(size);
    this.#idleBytes -= size;
    return idle;
  }

  #placeOf(bytes: number): number {
    let place = 0;
    while (BUFFER_BYTES_MIN << place < bytes) place++;
    return place;
  }

  #sizeAt(place: number): number {
    return Math.min(BUFFER_BYTES_MIN << place, this.#bytesMax);
  }
}
