import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeyMemory } from '../../src/memory/key-layout.js';
import { KeyTable, RESERVATION } from '../../src/memory/key-table.js';
import { exploreSchedules, type Step, type Threads } from './schedules.js';

const LIFE_NS = 100;
const PENDING_NS = 10;
const KEY = Int32Array.of(1, 2, 3, 4, 5, 6);

/** The clock, the frames that are durable under the key, and the number of replays. */
interface Notes {
  readonly nowNs: number;
  readonly durable: readonly string[];
  readonly replays: number;
}

/** Outcomes of a commit. In the last two the thread dies, before or after the frame is durable. */
const OUTCOMES = [
  'accepted',
  'refused',
  'accepted late',
  'refused late',
  'dies, not durable',
  'dies, durable',
] as const;
/** How often a client retries. */
const TRIES = 2;

/** Each step is one call of the table. Its lock makes a call atomic to other threads: see key-lock.test.ts. */
function explore(
  tries: readonly number[],
  clockMoves: number,
  outcomes: readonly string[],
): number {
  const memory = createKeyMemory(4, LIFE_NS, PENDING_NS);
  const table = new KeyTable(memory);
  const notes = () => threads.notes as unknown as Notes;
  const note = (changed: Partial<Notes>) => {
    threads.notes = { ...notes(), ...changed };
  };

  const commit = (frame: string, step: Step, choose: (choices: number) => number): void => {
    step(() => table.setPlace(KEY, frame, 0));
    const outcome = outcomes[choose(outcomes.length)];
    if (outcome === 'dies, not durable') return;
    if (outcome === 'accepted late' || outcome === 'refused late') {
      step(() => table.markUnknown(KEY, frame, 0, notes().nowNs));
    }
    if (outcome.includes('refused')) {
      step(() => table.release(KEY, frame, 0));
      return;
    }
    step(() => {
      assert.deepEqual(notes().durable, [], 'two orders are durable under one key');
      note({ durable: [frame] });
    });
    if (outcome !== 'dies, durable') step(() => table.confirm(KEY, frame, 0, notes().nowNs));
  };

  const client = (thread: number, step: Step, choose: (choices: number) => number): void => {
    for (let attempt = 0; attempt < tries[thread]; attempt++) {
      const found = step(() => {
        const reservation = table.reserve(KEY, notes().nowNs);
        if (reservation === RESERVATION.acquired) {
          assert.deepEqual(notes().durable, [], 'the key is free although its order is durable');
        }
        if (reservation === RESERVATION.replay) {
          assert.deepEqual(
            notes().durable,
            [table.foundFrameId],
            'a replay of an order that is not durable',
          );
          note({ replays: notes().replays + 1 });
        }
        return { reservation, frame: table.foundFrameId };
      });
      if (found.reservation === RESERVATION.acquired) {
        commit(`01${'0'.repeat(22)}${thread}${attempt}`, step, choose);
        return;
      }
      if (found.reservation === RESERVATION.replay) return;
      assert.ok(
        found.reservation === RESERVATION.pending || found.reservation === RESERVATION.unknown,
      );
      if (found.reservation === RESERVATION.unknown && found.frame !== '') {
        // The receipt: whether the journal has the order.
        const isKnown = step(() => notes().durable.includes(found.frame));
        if (isKnown) step(() => table.confirm(KEY, found.frame, 0, notes().nowNs));
      }
    }
  };

  const clock = (step: Step): void => {
    for (let i = 0; i < clockMoves; i++) step(() => note({ nowNs: notes().nowNs + PENDING_NS }));
  };

  const threads: Threads = {
    memory: new Int32Array(memory),
    notes: { nowNs: 1, durable: [], replays: 0 } satisfies Notes as unknown as Threads['notes'],
    programs: [
      ...tries.map(
        (_, thread) => (step: Step, choose: (choices: number) => number) =>
          client(thread, step, choose),
      ),
      ...(clockMoves > 0 ? [clock] : []),
    ],
    atEnd: () => {
      const reservation = table.reserve(KEY, notes().nowNs);
      if (notes().durable.length > 0) {
        assert.notEqual(reservation, RESERVATION.acquired, 'a durable order is forgotten');
      }
    },
  };
  return exploreSchedules(threads);
}

test('two threads, one key: for every outcome of the commits, at most one order is durable', (t) => {
  t.diagnostic(`${explore([TRIES, TRIES], 0, OUTCOMES)} states`);
});

test('two threads, one key, while the pending time passes', (t) => {
  t.diagnostic(`${explore([TRIES, TRIES], 2, OUTCOMES)} states`);
});

test('three threads, one key', (t) => {
  t.diagnostic(`${explore([1, 1, 1], 1, OUTCOMES)} states`);
});

test('the explorer detects a key that is released while the outcome of its order is unknown', () => {
  // The bug: an ambiguous commit is treated like a refused one, although its order is durable.
  const markUnknown = KeyTable.prototype.markUnknown;
  KeyTable.prototype.markUnknown = function (key, frameId, position) {
    this.release(key, frameId, position);
  };
  try {
    assert.throws(() => explore([1, 1], 0, ['accepted late']), /two orders are durable|is free/);
  } finally {
    KeyTable.prototype.markUnknown = markUnknown;
  }
});
