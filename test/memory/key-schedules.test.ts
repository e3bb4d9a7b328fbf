import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeyMemory } from '../../src/memory/key-layout.js';
import { KeyTable, RESERVATION } from '../../src/memory/key-table.js';
import { exploreSchedules, type Step, type Threads } from './schedules.js';

const LIFE_NS = 100;
const PENDING_NS = 10;
const KEY = Int32Array.of(1, 2, 3, 4, 5, 6);

/** What is noted: the time; the frames that are durable under the key; those of which nobody knows. */
interface Notes {
  readonly nowNs: number;
  readonly durable: readonly string[];
  readonly replays: number;
}

/** What becomes of a commit. The thread dies in the last two, before or after the frame is durable. */
const FATES = [
  'kept',
  'refused',
  'kept after all',
  'refused after all',
  'dies, not kept',
  'dies, kept',
] as const;
/** How often a client that is told to come again comes again. */
const TRIES = 2;

/** Each step is one call of the table, which its lock makes one step as seen by others: see key-lock.test.ts. */
function explore(tries: readonly number[], clockMoves: number, fates: readonly string[]): number {
  const memory = createKeyMemory(4, LIFE_NS, PENDING_NS);
  const table = new KeyTable(memory);
  const notes = () => threads.notes as unknown as Notes;
  const note = (changed: Partial<Notes>) => {
    threads.notes = { ...notes(), ...changed };
  };

  const commit = (frame: string, step: Step, choose: (choices: number) => number): void => {
    step(() => table.place(KEY, frame, 0));
    const fate = fates[choose(fates.length)];
    if (fate === 'dies, not kept') return;
    if (fate === 'kept after all' || fate === 'refused after all') {
      step(() => table.doubt(KEY, frame, 0, notes().nowNs));
    }
    if (fate.includes('refused')) {
      step(() => table.free(KEY, frame, 0));
      return;
    }
    step(() => {
      assert.deepEqual(notes().durable, [], 'two orders are durable under one key');
      note({ durable: [frame] });
    });
    if (fate !== 'dies, kept') step(() => table.keep(KEY, frame, 0, notes().nowNs));
  };

  const client = (thread: number, step: Step, choose: (choices: number) => number): void => {
    for (let attempt = 0; attempt < tries[thread]; attempt++) {
      const found = step(() => {
        const reservation = table.reserve(KEY, notes().nowNs);
        if (reservation === RESERVATION.taken) {
          assert.deepEqual(notes().durable, [], 'the key is free, though its order is durable');
        }
        if (reservation === RESERVATION.kept) {
          assert.deepEqual(notes().durable, [table.foundFrameId], 'a replay of no durable order');
          note({ replays: notes().replays + 1 });
        }
        return { reservation, frame: table.foundFrameId };
      });
      if (found.reservation === RESERVATION.taken) {
        commit(`01${'0'.repeat(22)}${thread}${attempt}`, step, choose);
        return;
      }
      if (found.reservation === RESERVATION.kept) return;
      assert.ok(
        found.reservation === RESERVATION.pending || found.reservation === RESERVATION.doubtful,
      );
      if (found.reservation === RESERVATION.doubtful && found.frame !== '') {
        // The receipt: the journal tells whether it has the order.
        const isKnown = step(() => notes().durable.includes(found.frame));
        if (isKnown) step(() => table.keep(KEY, found.frame, 0, notes().nowNs));
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
        assert.notEqual(reservation, RESERVATION.taken, 'a durable order is forgotten');
      }
    },
  };
  return exploreSchedules(threads);
}

test('two threads after one key: whatever becomes of the commits, at most one order is durable', (t) => {
  t.diagnostic(`${explore([TRIES, TRIES], 0, FATES)} states`);
});

test('the same while time passes the deadline of those who have the key', (t) => {
  t.diagnostic(`${explore([TRIES, TRIES], 2, FATES)} states`);
});

test('three threads after one key', (t) => {
  t.diagnostic(`${explore([1, 1, 1], 1, FATES)} states`);
});

test('the explorer catches a key that is freed while nobody knows what became of its order', () => {
  // As if an ambiguous commit were a refused one: freed, and durable after all.
  const free = KeyTable.prototype.doubt;
  KeyTable.prototype.doubt = function (key, frameId, position) {
    this.free(key, frameId, position);
  };
  try {
    assert.throws(() => explore([1, 1], 0, ['kept after all']), /two orders are durable|is free/);
  } finally {
    KeyTable.prototype.doubt = free;
  }
});
