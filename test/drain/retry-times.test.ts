import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { FailedOrder } from '../../src/drain/frame-run.js';
import { refileGroups } from '../../src/drain/retry-times.js';
import { OUTCOME_RETRY } from '../../src/model/pool-messages.js';

const BOUNDS = { retryMsMin: 1000, retryMsMax: 60_000 };
const FAILURE = { reason: 'x', shown: 'x', kind: 'x' };

function failed(waits: readonly (number | null)[]): FailedOrder[] {
  return waits.map((retryAfterMs, position) => ({
    position,
    outcome: OUTCOME_RETRY,
    failure: { ...FAILURE, retryAfterMs },
  }));
}

/** The wait of each position, milliseconds from now, on a clock that stands still. */
function waitsOf(
  t: TestContext,
  asked: readonly (number | null)[],
): { waits: number[]; groups: number } {
  const nowMs = Date.now();
  t.mock.timers.enable({ apis: ['Date'], now: nowMs });
  const groups = refileGroups(failed(asked), 3, undefined, BOUNDS);
  const waits: number[] = [];
  for (const { positions, notBeforeMs, attempt } of groups) {
    assert.equal(attempt, 4);
    for (const position of positions) waits[position] = notBeforeMs - nowMs;
  }
  assert.equal(waits.length, asked.length);
  return { waits, groups: groups.length };
}

describe('the next attempts of the orders of a frame', () => {
  it('without a wait of their own are at the same time', (t) => {
    const { waits, groups } = waitsOf(t, [null, null, null]);
    assert.equal(groups, 1);
    assert.ok(waits[0]! >= 2000, 'at least half of the third wait');
  });

  it('are never before the wait that was asked for, and at most --retry-ms-max later', (t) => {
    const { waits, groups } = waitsOf(t, [0, 5000, 5000, 86_400_000, null]);
    assert.equal(groups, 4);
    assert.ok(waits[0]! < 1000 && waits[1]! >= 5000 && waits[1] === waits[2]);
    assert.ok(waits[3]! >= 60_000 && waits[3]! < 61_000);
  });

  it('with many different waits share few frames, each up to 10% later', (t) => {
    const asked = Array.from({ length: 1000 }, (_, i) => 7 + i * 59);
    const { waits, groups } = waitsOf(t, asked);
    assert.ok(groups <= 100, `${groups} frames`);
    for (const [i, wait] of waits.entries()) {
      assert.ok(wait >= asked[i]!, `${wait} < ${asked[i]}`);
      assert.ok(wait <= asked[i]! * 1.1 + 200, `${wait} for ${asked[i]}`);
    }
  });
});
