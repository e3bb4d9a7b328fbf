import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { instructionsOf, valgrindProgram } from '../../bench/guard/instructions.js';
import { guarded } from '../../bench/guard/loops.js';
import { guard } from '../../bench/guard.js';

// Whether it passes with the code as it is depends on the machine, so that is for the step in .ci/run.
describe('the guard against getting slower', () => {
  for (const slow of guarded) {
    it(`misses the ratio of ${slow} when that takes four times as long`, async () => {
      const figures = await guard({ slow, valgrind: null, only: slow });
      const ratio = figures.find(({ measure }) => measure === 'ratio')!;
      assert.equal(ratio.holds, false);
      const counted = figures.find(({ measure }) => measure === 'instructions')!;
      assert.equal(counted.value, null);
    });
  }

  it('counts the instructions of what is done more often', async (t) => {
    const valgrind = await valgrindProgram().catch((error: Error) => error);
    if (valgrind instanceof Error) return t.skip(`no valgrind: ${valgrind.message}`);
    const counts = [1, 4].map((times) => instructionsOf(valgrind, 'limiter', times));
    const [once, fourTimes] = (await Promise.all(counts)) as [number, number];
    assert.ok(once > 100, `${once} instructions a decision`);
    assert.ok(fourTimes > 2.5 * once, `${fourTimes} against ${once}`);
  });
});
