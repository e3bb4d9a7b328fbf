const CELL_BYTES = Float64Array.BYTES_PER_ELEMENT;
const LINE_BYTES = 64;
const LINE_CELLS = LINE_BYTES / CELL_BYTES;

/**
 * Blocks of float64 cells in shared memory, one block per thread. Each cell is written by one thread, the owner of its
 * block, and can be read by any.
 *
 * Why plain loads and stores are enough, without Atomics: with one writer, no update can be lost. An aligned 8-byte access
 * is a single instruction on every 64-bit machine that Node runs on, so a reader sees the old value or the new one, never
 * a mixture. (The language leaves that to the platform.) There is no order between cells: a reader can see a histogram's
 * sum before its count. There is no bound on when a write becomes visible either, but caches are coherent, so in
 * practice it is immediate.
 *
 * No two blocks share a cache line, wherever the allocator puts the buffer: there is a whole line of bytes between the
 * last cell of a block and the first of the next.
 */
export class Cells {
  readonly #cells: Float64Array;

  /** @param memory made by `createCells` with the same `cellsPerBlock` */
  constructor(memory: SharedArrayBuffer, block: number, cellsPerBlock: number) {
    const offset = block * blockBytes(cellsPerBlock);
    this.#cells = new Float64Array(memory, offset, cellsPerBlock);
  }

  read(cell: number): number {
    return this.#cells[cell];
  }

  /** Owner only. */
  write(cell: number, value: number): void {
    this.#cells[cell] = value;
  }

  /** Owner only. */
  add(cell: number, n: number): void {
    this.#cells[cell] += n;
  }
}

/** Memory for `blocks` blocks, every cell 0. */
export function createCells(blocks: number, cellsPerBlock: number): SharedArrayBuffer {
  return new SharedArrayBuffer(blocks * blockBytes(cellsPerBlock));
}

/** The number of blocks in the memory. */
export function blocksIn(memory: SharedArrayBuffer, cellsPerBlock: number): number {
  return memory.byteLength / blockBytes(cellsPerBlock);
}

/** The cells and a gap of one line less one cell, rounded up to whole lines. */
function blockBytes(cellsPerBlock: number): number {
  return Math.ceil((cellsPerBlock + LINE_CELLS - 1) / LINE_CELLS) * LINE_BYTES;
}
