import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyLock, LockCells, type LockOperations } from '../../src/memory/key-lock.js';
import { exploreSchedules, type Step, type Threads } from './schedules.js';

const CELL = 0;

type Sabotage = (operations: LockOperations) => LockOperations;
const intact: Sabotage = (operations) => operations;

/** What is noted: who sleeps on the lock, first come first woken; how many are inside; how often one was. */
interface Notes {
  readonly asleep: readonly number[];
  readonly inside: number;
  readonly passed: number;
}

/** Sleeps last until woken, never until a time: so nobody is saved by the clock. */
function stepping(threads: Threads, thread: number, step: Step): LockOperations {
  const cells = threads.memory;
  const notes = () => threads.notes as unknown as Notes;
  const note = (changed: Partial<Notes>) => {
    threads.notes = { ...notes(), ...changed };
  };
  return {
    compareSwap: (cell, seen, next) => step(() => Atomics.compareExchange(cells, cell, seen, next)),
    swap: (cell, next) => step(() => Atomics.exchange(cells, cell, next)),
    sleep: (cell, seen) => {
      step(() => {
        if (cells[cell] === seen) note({ asleep: [...notes().asleep, thread] });
      });
      step(
        () => {},
        () => !notes().asleep.includes(thread),
      );
    },
    wake: () => step(() => note({ asleep: notes().asleep.slice(1) })),
    nowMs: () => 0,
  };
}

function explore(threadCount: number, calls: number, sabotage: Sabotage = intact): number {
  const threads: Threads = {
    memory: new Int32Array(new SharedArrayBuffer(4)),
    notes: { asleep: [], inside: 0, passed: 0 },
    programs: Array.from({ length: threadCount }, (_, thread) => (step: Step) => {
      const lock = new KeyLock(sabotage(stepping(threads, thread, step)), CELL, 1);
      for (let call = 0; call < calls; call++) {
        assert.ok(lock.acquire(), 'given up, though nobody died');
        step(() => {
          const { inside } = threads.notes as unknown as Notes;
          assert.equal(inside, 0, 'two threads hold the lock');
          threads.notes = { ...threads.notes, inside: 1 };
        });
        step(() => {
          const { passed } = threads.notes as unknown as Notes;
          threads.notes = { ...threads.notes, inside: 0, passed: passed + 1 };
        });
        lock.release();
      }
    }),
    atEnd: () => assert.equal(threads.notes.passed, threadCount * calls),
  };
  return exploreSchedules(threads);
}

for (const [threads, calls] of [
  [2, 1],
  [2, 2],
  [3, 1],
] as const) {
  test(`${threads} threads, ${calls} calls each: in every schedule one at a time holds the lock, and none sleeps for ever`, (t) => {
    t.diagnostic(`${explore(threads, calls)} states`);
  });
}

test('the explorer catches a lock that is taken without comparing', () => {
  const blind: Sabotage = (operations) => ({
    ...operations,
    compareSwap: (cell, seen, next) => {
      operations.swap(cell, next);
      return seen;
    },
  });
  assert.throws(() => explore(2, 1, blind), /two threads hold the lock/);
});

test('the explorer catches a release that wakes nobody', () => {
  const silent: Sabotage = (operations) => ({ ...operations, wake: () => {} });
  assert.throws(() => explore(2, 1, silent), /all wait for each other/);
});

test('the explorer catches a sleep that does not look first', () => {
  const headlong: Sabotage = (operations) => ({
    ...operations,
    // Looked at one step too early: the lock may be let go in between.
    sleep: (cell, _seen, msMax) => {
      const present = operations.compareSwap(cell, -1, -1);
      operations.compareSwap(cell, -1, -1);
      operations.sleep(cell, present, msMax);
    },
  });
  assert.throws(() => explore(2, 1, headlong), /all wait for each other/);
});

test('a lock whose holder died is given up on, without sleep from the second time; and had again once free', () => {
  const memory = new SharedArrayBuffer(4);
  const dead = new KeyLock(new LockCells(memory), CELL);
  assert.ok(dead.acquire());
  let sleptMs = 0;
  const cells = new LockCells(memory);
  const timed: LockOperations = {
    compareSwap: (cell, seen, next) => cells.compareSwap(cell, seen, next),
    swap: (cell, next) => cells.swap(cell, next),
    sleep: (_cell, _seen, msMax) => {
      sleptMs += msMax;
    },
    wake: (cell) => cells.wake(cell),
    nowMs: () => sleptMs,
  };
  const lock = new KeyLock(timed, CELL);
  assert.equal(lock.acquire(), false);
  assert.equal(sleptMs, 1000);
  assert.equal(lock.acquire(), false);
  assert.equal(sleptMs, 1000);
  dead.release();
  assert.ok(lock.acquire());
  lock.release();
  assert.ok(lock.acquire());
});

test('who is woken in vain again and again does not give up for that', () => {
  const memory = new SharedArrayBuffer(4);
  const holder = new KeyLock(new LockCells(memory), CELL);
  assert.ok(holder.acquire());
  let wakes = 0;
  const cells = new LockCells(memory);
  const raced: LockOperations = {
    compareSwap: (cell, seen, next) => cells.compareSwap(cell, seen, next),
    swap: (cell, next) => cells.swap(cell, next),
    sleep: () => {
      if (++wakes === 10_000) holder.release();
    },
    wake: () => {},
    nowMs: () => 0,
  };
  assert.ok(new KeyLock(raced, CELL).acquire());
});
