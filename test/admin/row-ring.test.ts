import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RowRing } from '../../src/admin/row-ring.js';

test('a ring holds the latest rows, in order, whatever it is asked for', () => {
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
