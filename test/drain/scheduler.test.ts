/** Orders that may have killed a process run alone, and all others go on beside them in turns. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../drills/ledger/random.js';
import { BatchSize } from '../../src/drain/batch-size.js';
import { FrameRun } from '../../src/drain/frame-run.js';
import { Outage } from '../../src/drain/outage.js';
import { BatchRunner } from '../../src/drain/runner.js';
import { BATCH_BYTES_MAX, Scheduler } from '../../src/drain/scheduler.js';
import { createCounts, ThreadCounts } from '../../src/metrics/count.js';
import type { Frame } from '../../src/model/frame.js';
import {
  type BatchMessage,
  type BatchResult,
  OUTCOME_NOT_RUN,
} from '../../src/model/pool-messages.js';
import { fresh } from '../journal/frames.js';
import { unpaced } from './unpaced.js';

const seed = Number(process.env.FOREBAY_SEED ?? Date.now() % 2 ** 31);

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

/** A pool and a journal that take random times, and notice what runs beside a suspect. */
class World {
  readonly faults: string[] = [];
  /** Frames in the order in which their first order began. */
  readonly begun: string[] = [];
  readonly scheduler: Scheduler;
  readonly #random: Random;
  readonly #suspects = new Set<string>();
  readonly #open = new Set<string>();
  #calls = 0;
  #isSuspectRunning = false;
  settled = 0;
  readonly #onBatch: (bytes: number) => void;

  /** @param onBatch gets the bytes of each batch */
  constructor(random: Random, onBatch: (bytes: number) => void = () => {}) {
    this.#random = random;
    this.#onBatch = onBatch;
    const runner = new BatchRunner({
      pool: { run: (message) => this.#run(message) },
      pacer: unpaced,
      counts: new ThreadCounts(createCounts(1), 0),
      outage: new Outage({ canWait: true, log: () => {} }),
      termNow: () => 1,
      hand: null,
      onFinished: () => {},
      log: () => {},
      onThread: () => {},
    });
    this.scheduler = new Scheduler(runner, unpaced, new BatchSize(4, 1), 2, () => 1);
  }

  add(orders: number, crashes: number): void {
    this.addFrame(fresh(orders), crashes);
  }

  addFrame(frame: Frame, crashes = 0): void {
    if (crashes > 0) this.#suspects.add(frame.id);
    const settle = (run: FrameRun) => void this.#settle(run);
    this.scheduler.add(new FrameRun(frame, settle, { crashes }));
  }

  async #settle({ frame }: FrameRun): Promise<void> {
    this.scheduler.settleStarts();
    await this.#pause();
    this.#open.delete(frame.id);
    this.settled++;
    this.scheduler.settleEnds();
  }

  async #run({ segments, payload }: BatchMessage): Promise<BatchResult> {
    this.#onBatch(payload.length);
    const ids = segments.map(({ origin }) => origin);
    const isSuspect = ids.some((id) => this.#suspects.has(id));
    if (this.#isSuspectRunning) this.faults.push(`${ids} beside a suspect`);
    if (isSuspect && this.#calls > 0) this.faults.push('a suspect beside other calls');
    if (isSuspect && this.#open.size > 0)
      this.faults.push(`a suspect while ${[...this.#open]} is open`);
    if (isSuspect && segments.length > 1) this.faults.push('a suspect in a batch');
    for (const id of ids) if (!this.#open.has(id)) this.begun.push(isSuspect ? 'suspect' : 'other');
    for (const id of ids) this.#open.add(id);
    this.#isSuspectRunning = isSuspect;
    this.#calls++;
    await this.#pause();
    this.#calls--;
    this.#isSuspectRunning = false;
    return DONE;
  }

  async #pause(): Promise<void> {
    const turns = this.#random.below(4);
    if (turns === 3) await sleep(this.#random.below(3));
    for (let i = 0; i < turns; i++) await new Promise(setImmediate);
  }
}

describe('a batch', () => {
  it('has a bounded number of bytes, but one order at least', async () => {
    const sizes: number[] = [];
    const world = new World(new Random(seed), (bytes) => sizes.push(bytes));
    const frameOf = (orders: number, bytes: number) => ({
      ...fresh(orders),
      payload: Buffer.from(`${'x'.repeat(bytes - 1)}\n`.repeat(orders)),
    });
    const MIB = 1024 * 1024;
    world.addFrame(frameOf(1, 5 * MIB));
    for (let i = 0; i < 6; i++) world.addFrame(frameOf(3, MIB));
    world.addFrame(frameOf(100, 100));
    while (world.settled < 8) await sleep(1);
    assert.deepEqual(
      sizes.filter((bytes) => bytes > BATCH_BYTES_MAX),
      [5 * MIB],
    );
    // The batch size of this world is four orders.
    assert.ok(sizes.includes(4 * MIB), sizes.join());
    assert.equal(await world.scheduler.stop().then(({ length }) => length), 0);
  });
});

describe('suspects', () => {
  it(`run while no other order is in progress and no frame is begun; seed ${seed}`, async () => {
    const random = new Random(seed);
    for (let round = 0; round < 20; round++) {
      const world = new World(random);
      for (let i = 0; i < 60; i++) {
        const isSuspect = random.below(3) === 0;
        world.add(isSuspect ? 1 : 1 + random.below(12), isSuspect ? 1 : 0);
        if (random.below(4) === 0) await sleep(random.below(3));
      }
      while (world.settled < 60) await sleep(1);
      assert.deepEqual(world.faults, []);
      assert.deepEqual(await world.scheduler.stop(), []);
    }
  });

  it('and others take turns: neither waits for the end of the other', async () => {
    const world = new World(new Random(seed));
    for (let i = 0; i < 400; i++) {
      world.add(1, 1);
      world.add(40, 0);
    }
    while (world.settled < 800) await sleep(5);
    assert.deepEqual(world.faults, []);
    const { begun } = world;
    assert.equal(begun[0], 'suspect');
    const lastSuspect = begun.lastIndexOf('suspect');
    const lastOther = begun.lastIndexOf('other');
    assert.ok(begun.indexOf('other') < lastSuspect, 'others wait for the last suspect');
    assert.ok(lastOther > begun.indexOf('suspect'));
  });
});

describe('a suspect whose start is announced while the journal is away', () => {
  for (const { what, termAfter, isLost } of [
    { what: 'the lease has expired', termAfter: 0, isLost: false },
    { what: 'another term has begun', termAfter: 2, isLost: false },
    { what: 'another process has taken its frame', termAfter: 1, isLost: true },
  ]) {
    it(`does not run if ${what} meanwhile`, async () => {
      let term = 1;
      let calls = 0;
      const runner = new BatchRunner({
        pool: {
          run: async () => {
            calls++;
            return DONE;
          },
        },
        pacer: unpaced,
        counts: new ThreadCounts(createCounts(1), 0),
        outage: new Outage({ canWait: true, log: () => {} }),
        termNow: () => term,
        hand: null,
        onFinished: () => {},
        log: () => {},
        onThread: () => {},
      });
      const scheduler = new Scheduler(runner, unpaced, new BatchSize(4, 1), 2, () => term);
      let announced = () => {};
      const starts = new Promise<void>((resolve) => {
        announced = resolve;
      });
      let taken = false;
      const complete = new Promise<FrameRun>((resolve) => {
        const choices = { crashes: 1, startsAlone: () => starts, isLost: () => taken };
        scheduler.add(new FrameRun(fresh(1), resolve, choices));
      });
      [term, taken] = [termAfter, isLost];
      announced();
      const { failed } = await complete;
      assert.deepEqual(
        failed.map(({ outcome }) => outcome),
        [OUTCOME_NOT_RUN],
      );
      assert.equal(calls, 0);
    });
  }
});
