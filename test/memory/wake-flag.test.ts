import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WakeFlag } from '../../src/memory/wake-flag.js';

describe('the wake flag', () => {
  const memory = WakeFlag.memory();
  const [reader, one, other] = [1, 2, 3].map(() => new WakeFlag(memory)) as [
    WakeFlag,
    WakeFlag,
    WakeFlag,
  ];

  it('is not taken while it is clear', () => {
    assert.equal(one.take(), false);
  });

  it('is taken by exactly one writer each time the reader sets it', () => {
    for (let i = 0; i < 3; i++) {
      reader.set();
      reader.set();
      assert.deepEqual([one.take(), other.take(), one.take()], [true, false, false]);
    }
  });
});
