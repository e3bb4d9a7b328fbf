/** A batch that had to wait does not run orders that another process may have taken meanwhile. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cutBatch } from '../../src/drain/batch.js';
import { FrameRun } from '../../src/drain/frame-run.js';
import { Outage } from '../../src/drain/outage.js';
import type { Pacer } from '../../src/drain/pace.js';
import { BatchRunner } from '../../src/drain/runner.js';
import { createCounts, ThreadCounts } from '../../src/metrics/count.js';
import type { BatchMessage, BatchResult } from '../../src/model/pool-messages.js';
import { fresh } from '../journal/frames.js';
import { grantOf, unpaced } from './unpaced.js';

const DONE: BatchResult = {
  outcomes: null,
  notes: null,
  notLoaded: null,
  notStarted: false,
  paused: null,
  thrown: null,
  thrownDead: false,
  handlerMs: 1,
  tid: 0,
};
const PAUSED: BatchResult = { ...DONE, paused: { why: 'away', retryAfterMs: null } };
const THROWN: BatchResult = { ...DONE, thrown: { reason: 'no', shown: 'threw', kind: 'threw' } };

/** The journal of another process takes the orders when `loses` is called. */
class World {
  calls = 0;
  #term = 1;
  #isLost = false;
  readonly #runner: BatchRunner;

  constructor(run: (call: number, message: BatchMessage) => BatchResult, pacer: Pacer = unpaced) {
    this.#runner = new BatchRunner({
      pool: { run: async (message) => run(this.calls++, message) },
      pacer,
      counts: new ThreadCounts(createCounts(1), 0),
      outage: new Outage({ canWait: true, log: () => {} }),
      termNow: () => this.#term,
      hand: null,
      onFinished: () => {},
      log: () => {},
      onThread: () => {},
    });
  }

  loses(what: { term?: number; isLost?: boolean }): void {
    this.#term = what.term ?? this.#term;
    this.#isLost = what.isLost ?? this.#isLost;
  }

  /** @returns how many of its orders were not done */
  async run(orders: number): Promise<number> {
    let failed = 0;
    const choices = { isLost: () => this.#isLost };
    const frame = new FrameRun(fresh(orders), (run) => (failed = run.failed.length), choices);
    await this.#runner.run(cutBatch([frame], orders), grantOf(orders));
    return failed;
  }
}

describe('a batch whose orders', () => {
  for (const { what, change } of [
    { what: 'lease has expired', change: { term: 0 } },
    { what: 'term has ended', change: { term: 2 } },
    { what: 'frame was taken by another process', change: { isLost: true } },
  ]) {
    it(`waited for the end of a pause does not run if their ${what}`, async () => {
      const world: World = new World((call) => {
        world.loses(change);
        return call === 0 ? PAUSED : DONE;
      });
      assert.equal(await world.run(3), 3);
      assert.equal(world.calls, 1);
    });

    it(`failed together does not run in parts if their ${what}`, async () => {
      const world: World = new World(() => {
        world.loses(change);
        return THROWN;
      });
      assert.equal(await world.run(4), 4);
      assert.equal(world.calls, 1);
    });

    it(`waited for the drain rate does not run if their ${what}`, async () => {
      let admitted = 0;
      const pacer: Pacer = {
        ...unpaced,
        admit: async (orders) => {
          if (admitted++ > 0) world.loses(change);
          return grantOf(orders);
        },
      };
      const world: World = new World((call) => (call === 0 ? THROWN : DONE), pacer);
      // The first half runs, the second waits and is lost.
      assert.equal(await world.run(2), 1);
      assert.equal(world.calls, 2);
    });
  }

  it('are its own runs, also as the probe in place of a batch that was lost', async () => {
    const world: World = new World((call) => {
      if (call === 0) world.loses({ isLost: true });
      return call === 0 ? PAUSED : DONE;
    });
    assert.equal(await world.run(3), 3);
    world.loses({ isLost: false });
    assert.equal(await world.run(3), 0);
    assert.equal(world.calls, 2);
  });
});
