import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Gathering } from '../../src/commit/gathering.js';

/** So many requests that are answered at once. */
function answered(gathering: Gathering, requests: number): void {
  for (let i = 0; i < requests; i++) gathering.requestArrived(1);
  gathering.requestsAnswered(requests);
}

const waitingOf = new WeakMap<Gathering, number>();

/** For how long a new frame of so many orders is held when so many requests wait. */
function holdMs(gathering: Gathering, orders: number, waiting: number, nowMs: number): number {
  const more = waiting - (waitingOf.get(gathering) ?? 0);
  waitingOf.set(gathering, waiting);
  if (more < 0) gathering.requestsAnswered(-more);
  for (let i = 0; i < more; i++) gathering.requestArrived(1);
  return gathering.holdMs(orders, nowMs, nowMs);
}

function holds(gathering: Gathering, orders: number, waiting: number, nowMs: number): boolean {
  return holdMs(gathering, orders, waiting, nowMs) > 0;
}

/** After 100 ms with so many requests, of which 50 waited at once. The clock is at 100 ms. */
function after(requests: number, frameOrdersMax = 1000): Gathering {
  const gathering = new Gathering(frameOrdersMax);
  answered(gathering, requests - 50);
  holds(gathering, 50, 50, 1);
  holds(gathering, 50, 50, 100);
  return gathering;
}

function near(ms: number, expectedMs: number): void {
  assert.ok(Math.abs(ms - expectedMs) < 1e-9, `${ms} ms`);
}

describe('gathering', () => {
  it('holds no frame at a low rate', () => {
    assert.equal(holds(after(490), 1, 2, 101), false);
  });

  it('holds a small frame at a high rate, until 0.7 ms after its start, and is asked again every 0.2 ms', () => {
    const gathering = after(500);
    near(holdMs(gathering, 1, 2, 101), 0.2);
    near(gathering.holdMs(1, 101, 101.5), 0.2);
    near(gathering.holdMs(2, 101, 101.55), 0.15);
    assert.equal(gathering.holdMs(2, 101, 101.65), 0);
    assert.equal(gathering.holdMs(2, 101, 500), 0);
  });

  it('holds a frame for as long as it should take until it has enough orders, or enough clients wait', () => {
    const gathering = after(2000);
    near(holdMs(gathering, 13, 13, 101), 0.15);
    // Half as many as waited is 25.
    near(holdMs(gathering, 1, 22, 101), 0.15);
    assert.equal(holdMs(gathering, 1, 24, 101), 0);
    assert.equal(holdMs(gathering, 15, 15, 101), 0);
  });

  it('knows how many orders a request has', () => {
    const gathering = new Gathering(1000);
    for (let i = 0; i < 500; i++) gathering.requestArrived(6);
    gathering.requestsAnswered(450);
    gathering.holdMs(300, 1, 1);
    gathering.holdMs(300, 100, 100);
    gathering.requestsAnswered(49);
    // 30 orders come in a millisecond.
    near(gathering.holdMs(10, 101, 101), 0.2);
    near(gathering.holdMs(12, 101, 101), 4 / 30);
    assert.equal(gathering.holdMs(14, 101, 101), 0);
    answered(gathering, 1000);
    gathering.holdMs(300, 200, 200);
    // 10 orders come in a millisecond.
    near(gathering.holdMs(14, 201, 201), 0.2);
  });

  it('does not hold a frame that has enough orders', () => {
    const gathering = after(500);
    assert.equal(holds(gathering, 16, 20, 101), false);
    assert.equal(holds(gathering, 15, 20, 101), true);
  });

  it('does not hold a frame that is full', () => {
    const gathering = after(500, 3);
    assert.equal(holds(gathering, 3, 20, 101), false);
    assert.equal(holds(gathering, 2, 20, 101), true);
  });

  it('does not hold a frame if half as many requests wait as in the last interval at most', () => {
    const gathering = after(500);
    assert.equal(holds(gathering, 10, 25, 101), false);
    assert.equal(holds(gathering, 10, 24, 101), true);
  });

  it('forgets an interval after the next one, and all of them after a pause', () => {
    const gathering = after(500);
    answered(gathering, 500);
    assert.equal(holds(gathering, 1, 9, 200), true);
    assert.equal(holds(gathering, 1, 10, 299), true);
    answered(gathering, 500);
    // The peak of 50 is forgotten now; the highest since is 10.
    assert.equal(holds(gathering, 1, 5, 300), false);
    assert.equal(holds(gathering, 1, 4, 301), true);
    answered(gathering, 50_000);
    assert.equal(holds(gathering, 1, 1, 10_300), false);
    assert.equal(holds(gathering, 1, 9, 10_301), false);
    assert.equal(holds(gathering, 1, 4, 10_302), true);
  });
});

describe('gathering, the rate', () => {
  it('is that of one interval', () => {
    const gathering = after(500);
    assert.equal(holds(gathering, 1, 2, 200), false);
  });

  it('is low after a pause with as many requests as a full interval has', () => {
    const gathering = after(50);
    answered(gathering, 500);
    holds(gathering, 1, 50, 1000);
    assert.equal(holds(gathering, 1, 2, 1001), false);
  });
});
