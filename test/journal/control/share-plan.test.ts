import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { waterFill } from '../../../src/journal/control/share-plan.js';

describe('the division of slots', () => {
  const CASES: readonly (readonly [
    string,
    Record<string, number>,
    number,
    Record<string, number>,
  ])[] = [
    ['equal parts, and all of them', { a: 100, b: 100, c: 100 }, 100, { a: 33, b: 33, c: 34 }],
    ['nobody gets more than it wants', { a: 5, b: 100, c: 0 }, 100, { a: 5, b: 95, c: 0 }],
    ['what nobody wants stays free', { a: 5, b: 10 }, 100, { a: 5, b: 10 }],
    [
      'fewer slots than processes: one each, in turn',
      { a: 9, b: 9, c: 9 },
      2,
      { a: 1, b: 1, c: 0 },
    ],
    ['a small want has its turn too', { a: 1, b: 9, c: 9 }, 1, { a: 1, b: 0, c: 0 }],
  ];
  for (const [what, wants, total, expected] of CASES) {
    test(what, () => {
      const targets = waterFill(new Map(Object.entries(wants)), total, 0);
      assert.deepEqual(Object.fromEntries(targets), expected);
    });
  }

  test('each process has its turn', () => {
    const wants = new Map(Object.entries({ a: 9, b: 9, c: 9 }));
    const served = [0, 1, 2].flatMap((turn) =>
      [...waterFill(wants, 1, turn)].filter(([, slots]) => slots > 0).map(([id]) => id),
    );
    assert.deepEqual(served.sort(), ['a', 'b', 'c']);
  });
});
