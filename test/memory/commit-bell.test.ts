import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CommitBell } from '../../src/memory/commit-bell.js';

describe('the bell of commits', () => {
  const memory = CommitBell.memory();
  const [reader, one, other] = [1, 2, 3].map(() => new CommitBell(memory)) as [
    CommitBell,
    CommitBell,
    CommitBell,
  ];

  it('is rung by nobody while nobody listens', () => {
    assert.equal(one.mustRing(), false);
  });

  it('is rung by one writer of all, each time the reader listens', () => {
    for (let i = 0; i < 3; i++) {
      reader.listen();
      reader.listen();
      assert.deepEqual([one.mustRing(), other.mustRing(), one.mustRing()], [true, false, false]);
    }
  });
});
