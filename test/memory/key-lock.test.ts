import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyLock, LockCells, type LockOperations } from '../../src/memory/key-lock.js';
import { exploreSchedules, type Step, type Threads } from './schedules.js';

const CELL = 0;

type Sabotage = (operations: LockOperations) => LockOperations;
const intact: Sabotage = (operations) => operations;

/** Threads that sleep on the lock, in waking order; threads in the critical section; completed critical sections. */
interface Notes {
  readonly asleep: readonly number[];
  readonly inside: number;
  readonly passed: number;
}

/** A sleep ends only by a wake, never by its timeout, so that a missed wake shows as a deadlock. */
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
        assert.ok(lock.acquire(), 'acquire failed although no thread died');
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
  test(`${threads} threads, ${calls} calls each: in every interleaving one thread at a time holds the lock, and none sleeps forever`, (t) => {
    t.diagnostic(`${explore(threads, calls)} states`);
  });
}

test('the explorer detects a lock that is acquired without comparing', () => {
  const blind: Sabotage = (operations) => ({
    ...operations,
    compareSwap: (cell, seen, next) => {
      operations.swap(cell, next);
      return seen;
    },
  });
  assert.throws(() => explore(2, 1, blind), /two threads hold the lock/);
});

test('the explorer detects a release that does not wake', () => {
  const silent: Sabotage = (operations) => ({ ...operations, wake: () => {} });
  assert.throws(() => explore(2, 1, silent), /deadlock/);
});

test('the explorer detects a sleep that does not check the cell', () => {
  const headlong: Sabotage = (operations) => ({
    ...operations,
    // Checked one step too early: the lock can be released in between.
    sleep: (cell, _seen, msMax) => {
      const present = operations.compareSwap(cell, -1, -1);
      operations.compareSwap(cell, -1, -1);
      operations.sleep(cell, present, msMax);
    },
  });
  assert.throws(() => explore(2, 1, headlong), /deadlock/);
});

test('acquire fails if the holder died, from the second time on without sleeping, and succeeds once the lock is free', () => {
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

test('spurious wakes do not make acquire fail', () => {
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

test('the time that the process is stopped does not make acquire fail', () => {
  const memory = new SharedArrayBuffer(4);
  const holder = new KeyLock(new LockCells(memory), CELL);
  assert.ok(holder.acquire());
  let nowMs = 0;
  const cells = new LockCells(memory);
  const stopped: LockOperations = {
    compareSwap: (cell, seen, next) => cells.compareSwap(cell, seen, next),
    swap: (cell, next) => cells.swap(cell, next),
    sleep: () => {
      // Stopped in the first sleep, for an hour; the holder goes on in the second.
      if (nowMs > 0) holder.release();
      nowMs += 3_600_000;
    },
    wake: () => {},
    nowMs: () => nowMs,
  };
  assert.ok(new KeyLock(stopped, CELL).acquire());
});
