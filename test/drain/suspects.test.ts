import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crashesOf, separationOf } from '../../src/drain/suspects.js';
import type { Frame } from '../../src/model/frame.js';
import { LeftNotes, type LeftOrders } from '../../src/model/left-orders.js';

const ATTEMPTS_MAX = 3;

function frameOf(count: number, facts: Partial<Frame> = {}): Frame {
  const payload = Buffer.from('{}\n'.repeat(count));
  const rest = { acceptedAtMs: 0, attempt: 1, notBeforeMs: 0, refiled: null, keys: [] };
  return { id: 'F', count, payload, ...rest, ...facts };
}

function note(first: number, count: number, crashes: number, isAlone = false): LeftOrders {
  return { frameId: 'F', first, count, crashes, isAlone };
}

function delivered(frame: Frame, ...notes: LeftOrders[]) {
  return { frame, left: new LeftNotes(notes).of(frame) };
}

function separated(frame: Frame, ...notes: LeftOrders[]) {
  const found = separationOf(delivered(frame, ...notes), ATTEMPTS_MAX);
  if (found === null) return null;
  return {
    refile: found.refile.map(({ positions, crashes = 0 }) => `${positions} ${crashes}`),
    dead: found.dead.map(({ position, reason, attempts }) => `${position} ${attempts} ${reason}`),
  };
}

describe('what a crash has left of a frame', () => {
  it('nothing: the frame runs as it is', () => {
    assert.equal(separated(frameOf(3)), null);
    assert.equal(separated(frameOf(3), { ...note(0, 3, 1), frameId: 'G' }), null);
  });

  it('each suspect becomes a frame of its own, the others stay together, what is done is left out', () => {
    const found = separated(frameOf(8), note(0, 2, 0), note(2, 2, 1), note(6, 1, 0));
    assert.deepEqual(found, { refile: ['2 1', '3 1', '4,5,7 0'], dead: [] });
  });

  it('a frame whose orders are all done is settled', () => {
    assert.deepEqual(separated(frameOf(2), note(0, 2, 0)), { refile: [], dead: [] });
    assert.deepEqual(separated(frameOf(1), note(0, 1, 0)), { refile: [], dead: [] });
  });

  it('the one order of a frame runs as it is, and knows its crashes', () => {
    for (const [frame, notes, crashes] of [
      [frameOf(1), [note(0, 1, 1)], 1],
      [frameOf(1, { crashes: 1 }), [], 1],
      [frameOf(1, { crashes: 1 }), [note(0, 1, 2)], 2],
      [frameOf(1, { crashes: 2 }), [note(0, 1, 1)], 2],
      [frameOf(1), [note(0, 1, 1), note(0, 1, 2), note(0, 1, 1)], 2],
    ] as const) {
      assert.equal(separated(frame, ...notes), null);
      assert.equal(crashesOf(delivered(frame, ...notes)), crashes);
    }
  });

  it('an order that is done is not run, whatever else is known of it', () => {
    for (const notes of [
      [note(0, 1, 0), note(0, 1, 2)],
      [note(0, 1, 2), note(0, 1, 0)],
    ]) {
      assert.deepEqual(separated(frameOf(1, { crashes: 1 }), ...notes), { refile: [], dead: [] });
    }
  });

  it('an order that has used up its attempts is dead', () => {
    const reason = (starts: number) => `the process died while its handler ran (${starts} starts)`;
    assert.deepEqual(separated(frameOf(1), note(0, 1, 3)), {
      refile: [],
      dead: [`0 3 ${reason(3)}`],
    });
    // An attempt that failed in the ordinary way counts too.
    assert.deepEqual(separated(frameOf(1, { attempt: 2 }), note(0, 1, 2)), {
      refile: [],
      dead: [`0 3 ${reason(2)}`],
    });
  });

  it('an order that was not alone is not dead by its first crash', () => {
    const last = frameOf(1, { attempt: ATTEMPTS_MAX });
    assert.equal(separated(last, note(0, 1, 1)), null);
    assert.deepEqual(separated(last, note(0, 1, 1, true))?.dead.length, 1);
    assert.deepEqual(separated(last, note(0, 1, 2))?.dead.length, 1);
  });
});
