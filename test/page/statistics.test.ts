import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amount, bytes, count, duration, moment, short } from '../../src/admin/page/format.js';
import { columnsOf, Rows, stackedColumns, withConstants } from '../../src/admin/page/rows.js';
import {
  bucketsOf,
  meanFrame,
  outlook,
  perSecond,
  quantile,
} from '../../src/admin/page/statistics.js';
import type { LiveRow } from '../../src/model/live.js';

function row(atS: number, more: Partial<LiveRow> = {}): LiveRow {
  return {
    atMs: atS * 1000,
    spanMs: 1000,
    rps: 0,
    answers: [],
    accepted: 0,
    done: 0,
    failed: 0,
    drainRate: 0,
    isPaused: false,
    framedOrders: 0,
    pendingOrders: 0,
    oldestAgeSeconds: 0,
    spoolOrders: 0,
    requestSeconds: [],
    commitSeconds: [],
    handlerSeconds: [],
    orderAgeSeconds: [],
    frameOrders: [],
    cpuPercent: [],
    lagMs: [],
    ...more,
  };
}

test('a quantile equals that of histogram_quantile', () => {
  const bounds = [1, 2, 4];
  assert.equal(quantile(0.5, bounds, [0, 0, 0, 0]), null);
  assert.equal(quantile(0.5, bounds, [10, 0, 0, 0]), 0.5);
  assert.equal(quantile(0.5, bounds, [5, 5, 0, 0]), 1);
  assert.equal(quantile(0.75, bounds, [5, 5, 0, 0]), 1.5);
  assert.equal(quantile(0.99, bounds, [0, 0, 100, 0]), 2 + 2 * 0.99);
  assert.equal(quantile(1, bounds, [1, 0, 0, 1]), 4, 'above all bounds: the highest bound');
});

test('buckets of several rows are summed', () => {
  const rows = [row(1, { frameOrders: [1, 0, 2] }), row(2, { frameOrders: [0, 5, 1] })];
  assert.deepEqual(bucketsOf(rows, 'frameOrders'), [1, 5, 3]);
  assert.deepEqual(bucketsOf([], 'frameOrders'), []);
});

test('a rate: a long row is scaled, a short one is not', () => {
  assert.equal(perSecond(50, row(1)), 50);
  assert.equal(perSecond(75, row(1, { spanMs: 1500 })), 50);
  assert.equal(perSecond(50, row(1, { spanMs: 900 })), 50);
});

test('the mean frame size, or null', () => {
  assert.equal(meanFrame(row(1, { frameOrders: [0, 3], framedOrders: 12 })), 4);
  assert.equal(meanFrame(row(1, { frameOrders: [0, 0] })), null);
});

/** A row for each triple. */
function flowing(...seconds: [pending: number, accepted: number, done: number][]): LiveRow[] {
  return seconds.map(([pendingOrders, accepted, done], i) =>
    row(i, { pendingOrders, accepted, done }),
  );
}

test('the time left is the backlog divided by done minus accepted of the last three seconds', () => {
  const falling = flowing([1000, 500, 5], [240, 20, 60], [200, 30, 60], [160, 10, 60]);
  assert.deepEqual(outlook(falling, true), {
    kind: 'shrinks',
    leaving: 60,
    accepted: 20,
    secondsLeft: 4,
  });
  const stalled = falling.map((each, i) => (i === 3 ? { ...each, spanMs: 4000 } : each));
  const found = outlook(stalled, true);
  assert.equal(found.kind === 'shrinks' && found.secondsLeft, 160 / (120 / 6), 'of six seconds');
  const failing = falling.map((each) => ({ ...each, done: 0, failed: each.done }));
  assert.equal(outlook(failing, true).kind, 'shrinks', 'an order that fails for good leaves too');
});

test('the outlook of a backlog that does not shrink', () => {
  assert.deepEqual(outlook([], true), { kind: 'empty' });
  assert.deepEqual(outlook(flowing([9, 9, 9], [0, 0, 9]), true), { kind: 'empty' });
  assert.deepEqual(outlook(flowing([50, 50, 60]), true), { kind: 'flows' });
  const growing = flowing([100, 90, 60], [130, 90, 60], [160, 90, 60]);
  assert.deepEqual(outlook(growing, true), { kind: 'grows', leaving: 60, accepted: 90 });
  const steady = flowing([100, 5, 5], [100, 5, 5], [100, 5, 5]);
  assert.deepEqual(outlook(steady, true), { kind: 'steady', leaving: 5, accepted: 5 });
  const paused = growing.map((each) => ({ ...each, isPaused: true }));
  assert.deepEqual(outlook(paused, true), { kind: 'paused' });
  assert.deepEqual(outlook([{ ...paused[0]!, pendingOrders: 0 }], true), { kind: 'empty' });
});

test('under a schedule, the server says when the backlog will be gone', () => {
  const waiting = flowing([500, 0, 0], [500, 0, 0]).map((each) => ({ ...each, isPaused: true }));
  assert.deepEqual(outlook(waiting, true, 61_000), {
    kind: 'scheduled',
    goneAtMs: 61_000,
    secondsLeft: 60,
  });
  assert.equal(outlook(flowing([0, 0, 0]), true, 61_000).kind, 'empty');
});

test('where other processes do the work, the fall of the backlog tells the time left', () => {
  const falling = flowing([190, 0, 0], [160, 10, 0], [130, 10, 0], [100, 10, 0]);
  assert.deepEqual(outlook(falling, false), {
    kind: 'shrinks',
    leaving: 40,
    accepted: 10,
    secondsLeft: 100 / 30,
  });
  assert.equal(outlook(flowing([30, 0, 0], [30, 0, 0]), false).kind, 'steady');
  assert.equal(outlook(flowing([30, 30, 0], [40, 10, 0]), false).kind, 'grows');
});

test('rows: new rows are added, old ones dropped, and a clock that was set back starts again', () => {
  const rows = new Rows();
  const times = () => rows.all.map(({ atMs }) => atMs / 1000);
  rows.append([row(100), row(101)], 10);
  rows.append([row(100), row(101), row(102)], 10);
  assert.deepEqual(times(), [100, 101, 102]);
  rows.append([row(111)], 10);
  assert.deepEqual(times(), [102, 111]);
  assert.equal(rows.historyS, 10, 'with the second of the oldest row');
  assert.deepEqual(
    rows.latest(5).map(({ atMs }) => atMs / 1000),
    [111],
  );
  rows.append([], 10);
  rows.append([row(50), row(51)], 10);
  assert.deepEqual(times(), [50, 51]);
});

test('columns have a gap where rows are missing', () => {
  const rows = [row(1, { rps: 1 }), row(2, { rps: 2 }), row(10, { rps: 3 })];
  assert.deepEqual(columnsOf(rows, [({ rps }) => rps]), [
    [1, 2, 6, 10],
    [1, 2, null, 3],
  ]);
  assert.deepEqual(withConstants(columnsOf(rows.slice(0, 2), []), [7]), [
    [1, 2],
    [7, 7],
  ]);
});

test('stacked columns are cumulative, and a layer is null where it counts nothing', () => {
  const rows = [0, 0, 4, 0, 0, 0].map((failed, i) => row(i, { done: 10, failed }));
  const [, top, bottom] = stackedColumns(rows, [({ failed }) => failed, ({ done }) => done]);
  assert.deepEqual(top, [null, 10, 14, 10, null, null]);
  assert.deepEqual(bottom, [10, 10, 10, 10, 10, 10]);
});

test('numbers and times are formatted for people', () => {
  assert.equal(count(1234567), '1,234,567');
  assert.deepEqual([0, 1.25, 9.96, 49.7].map(amount), ['0', '1.3', '10', '50']);
  assert.deepEqual(
    [0, 512, 1023.4, 1023 * 1024, 1024 ** 2 - 1, 4.25 * 1024 ** 2, 118 * 1024 ** 3].map(bytes),
    ['0 B', '512 B', '1,023 B', '1,023 KiB', '1 MiB', '4.3 MiB', '118 GiB'],
  );
  assert.deepEqual([1500, 20_000, 1_500_000].map(short), ['1,500', '20k', '1.5M']);
  const times = [0, 0.00025, 0.0123, 0.9994, 1.5, 59.4, 59.6, 125, 3569, 3570, 7380, 90_000];
  assert.deepEqual(times.map(duration), [
    '0 s',
    '0.3 ms',
    '12 ms',
    '999 ms',
    '1.5 s',
    '59 s',
    '1 min',
    '2 min 5 s',
    '59 min 29 s',
    '1 h',
    '2 h 3 min',
    '25 h',
  ]);
});

test('a time of another day has the date that the viewer has then, which can be another in UTC', () => {
  const { TZ } = process.env;
  process.env.TZ = 'Asia/Tokyo';
  try {
    assert.equal(moment(Date.parse('2026-03-01T20:30:00Z')), '2026-03-02 05:30');
    assert.match(moment(Date.now(), false), /^\d\d:\d\d$/);
  } finally {
    if (TZ === undefined) delete process.env.TZ;
    else process.env.TZ = TZ;
  }
});
