import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amount, count, duration, short } from '../../src/admin/page/format.js';
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
    done: 0,
    failed: 0,
    framedOrders: 0,
    pendingOrders: 0,
    oldestAgeSeconds: 0,
    spoolOrders: 0,
    requestSeconds: [],
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

test('the outlook of a backlog', () => {
  const backlog = (...pending: number[]) =>
    pending.map((pendingOrders, i) => row(i, { pendingOrders, done: 5 }));
  assert.deepEqual(outlook([]), { kind: 'empty' });
  assert.deepEqual(outlook(backlog(9, 0)), { kind: 'empty' });
  assert.deepEqual(outlook(backlog(9, 5)), { kind: 'flows' });
  assert.deepEqual(outlook(backlog(100, 90, 80)), {
    kind: 'shrinks',
    secondsLeft: 8,
    perSecond: 10,
  });
  assert.deepEqual(outlook(backlog(10, 20, 30)), { kind: 'grows', perSecond: 10 });
  assert.deepEqual(outlook(backlog(30, 30, 30)), { kind: 'steady' });
  assert.deepEqual(outlook(backlog(30)), { kind: 'steady' });
  const turned = backlog(...Array(50).fill(1000), 100, 90, 80, 70, 60, 50, 40, 30, 20, 10, 6);
  assert.equal(outlook(turned).kind, 'shrinks', 'only the latest rows count');
  assert.deepEqual(outlook(turned), { kind: 'shrinks', secondsLeft: 6 / 9.4, perSecond: 9.4 });
});

test('rows: new rows are added, old ones dropped, and a clock that was set back starts again', () => {
  const rows = new Rows();
  const times = () => rows.all.map(({ atMs }) => atMs / 1000);
  rows.append([row(100), row(101)], 10);
  rows.append([row(100), row(101), row(102)], 10);
  assert.deepEqual(times(), [100, 101, 102]);
  rows.append([row(111)], 10);
  assert.deepEqual(times(), [102, 111]);
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
