import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { batchSizeOf, stampOf } from '../../src/memory/window-ring.js';
import { beginning, explore } from './explore.js';
import { type Parts, WindowModel } from './window-model.js';

const WINDOW_NS = 10;

interface Bounds {
  /** How many admissions each thread asks for at once; 1 by default. */
  readonly sizes?: readonly number[];
  readonly limit: number;
  readonly threads: number;
  readonly calls: number;
  readonly clockMoves: number;
}

const explored: Bounds[] = [
  { limit: 1, threads: 2, calls: 3, clockMoves: 3 },
  { limit: 2, threads: 2, calls: 4, clockMoves: 2 },
  { limit: 3, threads: 2, calls: 4, clockMoves: 1 },
  { limit: 4, threads: 2, calls: 5, clockMoves: 1 },
  { limit: 1, threads: 3, calls: 1, clockMoves: 2 },
  { limit: 2, threads: 3, calls: 1, clockMoves: 2 },
  { limit: 1, threads: 3, calls: 2, clockMoves: 1 },
];

for (const bounds of explored) {
  const { limit, threads, calls, clockMoves } = bounds;
  test(`limit ${limit}: every interleaving of ${threads} threads, ${calls} calls each, ${clockMoves} clock moves`, (t) => {
    report(t, run(bounds));
  });
}

const batches: Required<Bounds>[] = [
  { limit: 2, threads: 2, calls: 2, clockMoves: 2, sizes: [2, 2] },
  { limit: 2, threads: 2, calls: 2, clockMoves: 2, sizes: [2, 1] },
  { limit: 3, threads: 2, calls: 2, clockMoves: 1, sizes: [2, 3] },
  { limit: 3, threads: 2, calls: 2, clockMoves: 2, sizes: [3, 1] },
  { limit: 2, threads: 2, calls: 4, clockMoves: 1, sizes: [2, 1] },
  { limit: 4, threads: 2, calls: 3, clockMoves: 1, sizes: [3, 2] },
  { limit: 2, threads: 3, calls: 1, clockMoves: 0, sizes: [2, 2, 1] },
];

for (const bounds of batches) {
  const { limit, sizes, calls, clockMoves } = bounds;
  test(`limit ${limit}: every interleaving of threads that ask for ${sizes.join(' and ')} at once, ${calls} calls each, ${clockMoves} clock moves`, (t) => {
    report(t, run(bounds));
  });
}

test('the same holds without restarts', (t) => {
  const untouched = (parts: Parts) => parts;
  report(t, run({ limit: 1, threads: 2, calls: 2, clockMoves: 1 }, untouched));
});

test('the explorer detects a swap that does not compare', () => {
  const blind = ({ ring, clock }: Parts): Parts => ({
    clock,
    ring: {
      ...ring,
      takeSlot: (index, _seen, stamp) => {
        // The bug: two operations instead of one, so another thread can run in between.
        const present = ring.slot(index);
        return ring.takeSlot(index, present, stamp);
      },
    },
  });
  assert.throws(
    () => run({ limit: 1, threads: 2, calls: 1, clockMoves: 0 }, blind),
    /one admission too many in a window/,
  );
});

test('the explorer detects slots without the parity bit', () => {
  const unsigned = ({ ring, clock }: Parts): Parts => ({
    clock,
    ring: {
      ...ring,
      takeSlot: (index, seen, stamp) => ring.takeSlot(index, seen, Math.abs(stamp)),
    },
  });
  assert.throws(
    () => run({ limit: 2, threads: 2, calls: 3, clockMoves: 1 }, unsigned),
    /although there is room/,
  );
});

test('the explorer detects a clock that is read before the lower numbers are seen as taken', () => {
  const early = ({ ring, clock }: Parts): Parts => {
    let reading: number | null = null;
    return {
      clock: () => {
        const early = reading ?? clock();
        reading = null;
        return early;
      },
      ring: {
        ...ring,
        slot: (index) => {
          reading ??= clock();
          return ring.slot(index);
        },
      },
    };
  };
  assert.throws(
    () => run({ limit: 2, threads: 2, calls: 1, clockMoves: 1 }, early),
    /admission times decreased/,
  );
});

test('the explorer detects a head that is read before the slot', () => {
  const early = ({ ring, clock }: Parts): Parts => {
    let head = 0;
    return {
      clock,
      ring: {
        ...ring,
        head: () => head,
        slot: (index) => {
          head = ring.head();
          return ring.slot(index);
        },
      },
    };
  };
  assert.throws(
    () => run({ limit: 2, threads: 2, calls: 4, clockMoves: 2 }, early),
    /refused although the window had room/,
  );
});

test('the explorer detects a sign that is used without the head', () => {
  const blind = ({ ring, clock }: Parts): Parts => ({ clock, ring: { ...ring, head: () => 0 } });
  assert.throws(
    () => run({ limit: 2, threads: 2, calls: 4, clockMoves: 3 }, blind),
    /although there is room|although the window had room/,
  );
});

test('the explorer detects a head that is ahead of its slots', () => {
  const hasty = ({ ring, clock }: Parts): Parts => ({
    clock,
    ring: { ...ring, advanceHead: (to) => ring.advanceHead(to + 1) },
  });
  assert.throws(() => run({ limit: 2, threads: 2, calls: 3, clockMoves: 1 }, hasty));
});

test('the explorer detects a batch that looks at its first slot only', () => {
  const hasty = ({ ring, clock }: Parts): Parts => {
    let mark = 0n;
    return {
      clock,
      ring: {
        ...ring,
        slotOfBatch: (index) => (mark === 0n ? 0n : ring.slotOfBatch(index)),
        takeSlot: (index, seen, stamp) => {
          const taken = ring.takeSlot(index, seen, stamp);
          if (taken && batchSizeOf(stamp) > 0) mark = 1n;
          return taken;
        },
      },
    };
  };
  assert.throws(
    () => run({ limit: 2, threads: 2, calls: 2, clockMoves: 1, sizes: [2, 1] }, hasty),
    /one admission too many in a window/,
  );
});

test('the explorer detects a batch that is completed without a look at its mark', () => {
  const blind = ({ ring, clock }: Parts): Parts => {
    let mark = 0n;
    let markAt = -1;
    return {
      clock,
      ring: {
        ...ring,
        slot: (index) => {
          const seen = ring.slot(index);
          [mark, markAt] = [seen, index];
          return seen;
        },
        slotOfBatch: (index) =>
          index === markAt && batchSizeOf(stampOf(mark)) > 0 ? mark : ring.slotOfBatch(index),
      },
    };
  };
  assert.throws(() => run({ limit: 2, threads: 2, calls: 3, clockMoves: 2, sizes: [2, 1] }, blind));
});

test('the explorer detects a batch that does not move the head first', () => {
  const late = ({ ring, clock }: Parts): Parts => ({
    clock,
    ring: { ...ring, advanceHead: (to) => (to % 2 === 0 ? ring.advanceHead(to) : undefined) },
  });
  assert.throws(() => run({ limit: 3, threads: 2, calls: 3, clockMoves: 2, sizes: [3, 1] }, late));
});

function run(bounds: Bounds, sabotage?: (parts: Parts) => Parts) {
  const model = new WindowModel(bounds.limit, WINDOW_NS, sabotage, bounds.sizes);
  return explore(model, beginning(model, bounds, 1));
}

function report(t: TestContext, { states, steps, ends }: ReturnType<typeof explore>): void {
  assert.ok(ends > 0);
  t.diagnostic(`${states} distinct states, ${steps} steps, ${ends} of them at rest`);
}
