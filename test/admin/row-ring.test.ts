import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RowRing } from '../../src/admin/live-feed.js';

test('a ring returns the latest rows in order, from any row number on', () => {
  const rowsMax = 4;
  for (let added = 0; added <= 3 * rowsMax; added++) {
    const ring = new RowRing(rowsMax);
    for (let i = 0; i < added; i++) ring.add(`${i}`);
    assert.equal(ring.next, added);
    for (let first = 0; first <= added + 1; first++) {
      const from = Math.max(first, added - rowsMax, 0);
      const expected = Array.from({ length: Math.max(0, added - from) }, (_, i) => from + i);
      assert.deepEqual(JSON.parse(ring.since(first)), expected, `${added} added, from ${first}`);
    }
  }
});
