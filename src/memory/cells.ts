const CELL_BYTES = Float64Array.BYTES_PER_ELEMENT;
const LINE_BYTES = 64;
const LINE_CELLS = LINE_BYTES / CELL_BYTES;

/**
 * Blocks of float64 cells in shared memory, one block a thread. Each cell is written by one thread,
 * the owner of its block, and may be read by any.
 *
 * Why plain loads and stores do, without Atomics: with one writer there is no update to lose; and an
 * aligned 8-byte access is a single instruction on every 64-bit machine that Node runs on, so a
 * reader sees the old value or the new one, never half of each. (The language leaves that to the
 * platform.) Order between cells is not promised: a reader may see a histogram's sum before its
 * count, by the observations of a moment. Nor is there a promise of when, but caches are coherent,
 * so it is as good as at once.
 *
 * Blocks are laid out so that no two share a cache line, wherever the allocator puts the buffer:
 * between the last cell of one and the first of the next is a whole line of bytes.
 */
export class Cells {
  readonly #cells: Float64Array;

  /** The block number `block` of memory made by `createCells` with the same `cellsPerBlock`. */
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

/** Memory for so many blocks, every cell at 0. */
export function createCells(blocks: number, cellsPerBlock: number): SharedArrayBuffer {
  return new SharedArrayBuffer(blocks * blockBytes(cellsPerBlock));
}

/** How many blocks of `cellsPerBlock` the memory holds. */
export function blocksIn(memory: SharedArrayBuffer, cellsPerBlock: number): number {
  return memory.byteLength / blockBytes(cellsPerBlock);
}

/** The cells, a gap of one line less a cell, rounded up to whole lines. */
function blockBytes(cellsPerBlock: number): number {
  return Math.ceil((cellsPerBlock + LINE_CELLS - 1) / LINE_CELLS) * LINE_BYTES;
}
