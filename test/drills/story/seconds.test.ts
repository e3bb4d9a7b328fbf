import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sampleOf } from '../../../drills/story/sample.js';
import { servedFigures, stepsOf } from '../../../drills/story/seconds.js';
import { rate } from '../../../k6/lib/sine.js';
import { metricsText } from './sample-text.js';

const START_MS = 1_700_000_000_000;
const wave = { minRps: 0, maxRps: 100, periodS: 4, periods: 1 };

/** Looks at these seconds since the wave began, each with what the server had counted by then. */
function looks(...at: readonly (readonly [number, Parameters<typeof metricsText>[0]])[]) {
  return at.map(([tS, counted]) => sampleOf(metricsText(counted), START_MS + tS * 1000));
}

describe('the second by second of the story', () => {
  it('turns counts into rates, by the time that really passed', () => {
    const samples = looks(
      [-1.5, { created: 0, done: 0 }],
      [-0.5, { created: 0, done: 0 }],
      [0.5, { created: 30, refused: 5, done: 20, pending: 10 }],
      [2.5, { created: 130, refused: 5, busy: 4, done: 120, pending: 10 }],
      [4.5, { created: 130, refused: 5, busy: 4, done: 130 }],
    );
    const [first, second, third, ...more] = stepsOf(samples, START_MS, wave);
    assert.deepEqual(more, []);
    // Half a second of the wave lies in the first, though the looks are a second apart.
    const { createdRps, refusedRps, doneRps, pendingOrders } = first!;
    assert.deepEqual([first!.fromS, first!.toS], [0, 0.5]);
    assert.deepEqual(
      { createdRps, refusedRps, doneRps, pendingOrders },
      {
        createdRps: 60,
        refusedRps: 10,
        doneRps: 40,
        pendingOrders: 10,
      },
    );
    assert.deepEqual([second!.createdRps, second!.refusedRps, second!.otherRps], [50, 0, 2]);
    assert.equal(second!.dueRps, rate(1.5, wave));
    assert.deepEqual([third!.createdRps, third!.doneRps], [0, 5]);
  });

  it('loses no count where two looks are close together, also at the start', () => {
    const samples = looks(
      [-0.9, { created: 0, done: 0 }],
      [0.1, { created: 9, done: 5 }],
      [1.1, { created: 60, done: 50 }],
      [1.2, { created: 70, done: 55 }],
      [2.1, { created: 99, done: 99 }],
    );
    const steps = stepsOf(samples, START_MS, wave);
    const sum = steps.reduce(
      (all, { fromS, toS, createdRps }) => all + createdRps * (toS - fromS),
      0,
    );
    assert.ok(Math.abs(sum - 99) < 1e-6, `${sum}`);
    for (const { fromS, toS } of steps) assert.ok(toS - fromS >= 0.5);
  });

  it('says when the backlog was gone, what was most and what the means are', () => {
    const samples = looks(
      [-0.5, { created: 100, done: 100 }],
      [1, { created: 200, done: 120, pending: 80 }],
      [4.5, { created: 300, done: 290, pending: 10 }],
      [5.5, { created: 300, done: 300 }],
      [6.5, { created: 300, done: 300 }],
    );
    const served = servedFigures(samples, stepsOf(samples, START_MS, wave), wave);
    assert.equal(served.created, 200);
    assert.equal(served.done, 200);
    assert.equal(served.pendingOrdersMax, 80);
    assert.equal(served.pendingOrdersEnd, 0);
    assert.equal(served.drainedAfterS, 1.5);
    assert.equal(served.lagMsMax, 20);
    assert.equal(served.residentMbMax, 100);
    assert.ok(Math.abs(served.commitMsMean! - 2) < 1e-9);
    assert.equal(served.handlerMsMean, null);
    assert.ok(Math.abs(served.cpuShare - 0.2 / 7) < 1e-9);
  });
});
