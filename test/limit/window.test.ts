import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { monotonicNs } from '../../src/limit/clock.js';
import { WindowLimiter } from '../../src/limit/window.js';
import { WINDOW_LIMIT_MAX } from '../../src/memory/window-ring.js';

const seed = Number(process.env.FOREBAY_SEED ?? Date.now() % 2 ** 31);

/** The same contract, implemented with a log of all admissions. */
class ExactLog {
  readonly #timesNs: number[] = [];
  readonly #limit: number;
  readonly #windowNs: number;

  constructor(limit: number, windowNs: number) {
    this.#limit = limit;
    this.#windowNs = windowNs;
  }

  waitNs(nowNs: number, size = 1): number {
    const oldest = this.#timesNs.at(size - 1 - this.#limit);
    return this.#timesNs.length + size <= this.#limit || oldest === undefined
      ? 0
      : Math.max(0, oldest + this.#windowNs - nowNs);
  }

  tryAdmit(nowNs: number, size = 1): boolean {
    if (this.waitNs(nowNs, size) > 0) return false;
    for (let i = 0; i < size; i++) this.#timesNs.push(nowNs);
    return true;
  }
}

const DAY_NS = 86_400e9;

/** Critical clock steps: none, about a window, and beyond 32 bits. */
function clockSteps(windowNs: number) {
  return fc.oneof(
    { weight: 6, arbitrary: fc.constant(0) },
    { weight: 6, arbitrary: fc.integer({ min: 1, max: windowNs }) },
    { weight: 4, arbitrary: fc.constantFrom(windowNs - 1, windowNs, windowNs + 1) },
    { weight: 1, arbitrary: fc.constantFrom(2 ** 31, 2 ** 32, 2 ** 32 + 1, DAY_NS, 50 * DAY_NS) },
  );
}

const schedules = fc
  .record({
    limit: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 6, max: 70 })),
    windowNs: fc.integer({ min: 2, max: 2_000_000_000 }),
    threads: fc.integer({ min: 1, max: 4 }),
  })
  .chain((setting) =>
    fc.record({
      setting: fc.constant(setting),
      moves: fc.array(
        fc.record({
          thread: fc.nat(setting.threads - 1),
          calls: fc.integer({ min: 1, max: 2 * setting.limit }),
          size: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: setting.limit })),
          stepNs: clockSteps(setting.windowNs),
        }),
        { minLength: 1, maxLength: 60 },
      ),
    }),
  );

test('random schedules: it decides and waits exactly like a log of all admissions', (t) => {
  t.diagnostic(`FOREBAY_SEED=${seed}`);
  const check = fc.property(schedules, ({ setting, moves }) => {
    const { limit, windowNs, threads } = setting;
    let nowNs = 1;
    const memory = WindowLimiter.memory(limit, windowNs / 1e6);
    const limiters = Array.from({ length: threads }, () => new WindowLimiter(memory, () => nowNs));
    const log = new ExactLog(limit, windowNs);
    for (const { thread, calls, size, stepNs } of moves) {
      nowNs += stepNs;
      for (let i = 0; i < calls; i++) {
        assert.equal(limiters[thread].waitMs(size), log.waitNs(nowNs, size) / 1e6);
        assert.equal(limiters[thread].tryAdmitBatch(size), log.tryAdmit(nowNs, size));
      }
    }
  });
  fc.assert(check, { seed, numRuns: 1000 });
});

test('a window can be a fraction of a millisecond and is never shorter than requested', () => {
  let nowNs = 1;
  const limiter = new WindowLimiter(WindowLimiter.memory(1, 16.7000001), () => nowNs);
  assert.ok(limiter.tryAdmit());
  nowNs += 16_700_000;
  assert.equal(limiter.tryAdmit(), false);
  nowNs += 1;
  assert.ok(limiter.tryAdmit());
});

test('the default window is one second', () => {
  let nowNs = 1;
  const limiter = new WindowLimiter(WindowLimiter.memory(1), () => nowNs);
  assert.ok(limiter.tryAdmit());
  nowNs += 999_999_999;
  assert.equal(limiter.tryAdmit(), false);
  assert.equal(limiter.waitMs(), 1e-6);
  nowNs += 1;
  assert.ok(limiter.tryAdmit());
});

test('the maximum limit admits exactly that number, in two rounds', () => {
  let nowNs = 1;
  const memory = WindowLimiter.memory(WINDOW_LIMIT_MAX, 1);
  const limiter = new WindowLimiter(memory, () => nowNs);
  for (let round = 0; round < 2; round++) {
    let admitted = 0;
    while (limiter.tryAdmit()) admitted += 1;
    assert.equal(admitted, WINDOW_LIMIT_MAX);
    nowNs += 1_000_000;
  }
});

test('a batch takes all or nothing, and more than the limit is never admitted', () => {
  let nowNs = 1;
  const limiter = new WindowLimiter(WindowLimiter.memory(10), () => nowNs);
  assert.ok(limiter.tryAdmitBatch(8));
  assert.equal(limiter.tryAdmitBatch(3), false);
  assert.ok(limiter.tryAdmitBatch(2), 'the batch that was refused took nothing');
  assert.equal(limiter.waitMs(1), 1000);
  nowNs += 1e9;
  assert.equal(limiter.tryAdmitBatch(11), false);
  assert.equal(limiter.waitMs(11), Number.POSITIVE_INFINITY);
  assert.ok(limiter.tryAdmitBatch(0));
  assert.ok(limiter.tryAdmitBatch(10));
  assert.equal(limiter.limit, 10);
});

test('a limit or window out of range is refused', () => {
  for (const limit of [0, -1, 1.5, WINDOW_LIMIT_MAX + 1, Number.NaN]) {
    assert.throws(() => WindowLimiter.memory(limit), RangeError);
  }
  for (const windowMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => WindowLimiter.memory(1, windowMs), RangeError);
  }
});

test('the default clock is the process-wide clock in nanoseconds', () => {
  const before = Number(process.hrtime.bigint());
  const reading = monotonicNs();
  const after = Number(process.hrtime.bigint());
  assert.ok(before <= reading && reading <= after);
});
