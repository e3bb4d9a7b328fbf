import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blocksIn, Cells, createCells } from '../../src/memory/cells.js';

const LINE_BYTES = 64;

test('two blocks share no cache line, wherever the allocator puts the buffer', () => {
  for (let cellsPerBlock = 1; cellsPerBlock <= 40; cellsPerBlock++) {
    const memory = createCells(2, cellsPerBlock);
    const lastOfFirst = (cellsPerBlock - 1) * 8;
    const firstOfSecond = memory.byteLength / 2;
    for (let base = 0; base < LINE_BYTES; base += 8) {
      const lineOf = (offset: number) => Math.floor((base + offset) / LINE_BYTES);
      assert.ok(lineOf(lastOfFirst) < lineOf(firstOfSecond), `${cellsPerBlock} cells at ${base}`);
    }
  }
});

test('each block has its own cells, initially 0', () => {
  const memory = createCells(3, 5);
  assert.equal(blocksIn(memory, 5), 3);
  const blocks = [0, 1, 2].map((block) => new Cells(memory, block, 5));
  for (const block of blocks) for (let i = 0; i < 5; i++) assert.equal(block.read(i), 0);
  blocks.forEach((block, b) => {
    for (let i = 0; i < 5; i++) block.write(i, 10 * b + i);
  });
  blocks[1].add(4, 100);
  const all = blocks.map((block) => [0, 1, 2, 3, 4].map((i) => block.read(i)));
  assert.deepEqual(all, [
    [0, 1, 2, 3, 4],
    [10, 11, 12, 13, 114],
    [20, 21, 22, 23, 24],
  ]);
});
