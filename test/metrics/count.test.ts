import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRegistry } from '../../src/metrics/collect.js';
import {
  COUNTER,
  createCounts,
  GAUGE,
  HISTOGRAM,
  ReasonCounts,
  ThreadCounts,
} from '../../src/metrics/count.js';
import { histogramFamilies } from '../../src/metrics/histogram-names.js';
import { ThreadLoad } from '../../src/metrics/thread-load.js';
import { samplesOf } from './exposition.js';

const seed = Number(process.env.FOREBAY_SEED ?? Date.now() % 2 ** 31);

async function samples(counts: SharedArrayBuffer): Promise<Map<string, number>> {
  const registry = createRegistry({
    counts,
    live: {
      rps: () => 0,
      pendingOrders: () => 0,
      oldestAgeSeconds: () => 0,
      deadLetters: () => 0,
      deadLettersMax: () => 0,
      diskFreeBytes: () => 0,
      diskSizeBytes: () => 0,
      journalBytes: () => 0,
      unreadableRows: () => 0,
      damagedFiles: () => 0,
      rpsLimit: () => 0,
      drainRate: () => 0,
      spoolOrdersMax: () => 0,
      ready: () => 0,
      journalReachable: () => 0,
      journalDegraded: () => 0,
      drainPaused: () => 0,
      backlogGoneAt: () => 18,
      windowEndsAt: () => 19,
      tlsNotAfter: () => 0,
      senderFilesRefused: () => 0,
    },
    keyResponses: () => [],
    failureReasons: () => [],
    durability: () => ({ class: 'fsync', replicas: 1 }),
    threadLoad: new ThreadLoad(counts, [], () => []),
    build: { version: '', node: '', mode: '', journal: '' },
  });
  return samplesOf(await registry.metrics());
}

test('counters, gauges and histograms of two threads share no cell', () => {
  const counts = createCounts(2);
  const cellsOf = [new ThreadCounts(counts, 0), new ThreadCounts(counts, 1)];
  const cells = [...Object.values(COUNTER), ...Object.values(GAUGE)];
  assert.equal(new Set(cells).size, cells.length);
  cellsOf.forEach((thread, t) => {
    for (const cell of cells) thread.set(cell, 1000 * (t + 1) + cell);
  });
  for (const histogram of Object.values(HISTOGRAM)) cellsOf[0].observe(histogram, 1e9);
  cellsOf.forEach((thread, t) => {
    for (const cell of cells) assert.equal(thread.get(cell), 1000 * (t + 1) + cell);
  });
});

test('clearing the gauges keeps the counters', () => {
  const thread = new ThreadCounts(createCounts(1), 0);
  thread.add(COUNTER.retries, 3);
  thread.set(GAUGE.waitingOrders, 4);
  thread.clearGauges();
  assert.deepEqual([thread.get(COUNTER.retries), thread.get(GAUGE.waitingOrders)], [3, 0]);
});

test('negative and NaN values count as 0', async () => {
  const counts = createCounts(1);
  const thread = new ThreadCounts(counts, 0);
  thread.observe(HISTOGRAM.orderAgeSeconds, -5);
  thread.observe(HISTOGRAM.orderAgeSeconds, Number.NaN);
  const seen = await samples(counts);
  assert.equal(seen.get('forebay_order_age_seconds_bucket{le="0.001"}'), 2);
  assert.equal(seen.get('forebay_order_age_seconds_sum'), 0);
});

test('bounds ascend and are at most 16', () => {
  for (const { bounds } of histogramFamilies) {
    assert.ok(bounds.length <= 16);
    assert.deepEqual(
      [...bounds],
      [...bounds].sort((a, b) => a - b),
    );
  }
});

test(`histograms are cumulative and agree with a recount (FOREBAY_SEED=${seed})`, async () => {
  const { name, bounds } = histogramFamilies.find(({ cells }) => 'requestSeconds' in cells)!;
  const value = fc.oneof(fc.constantFrom(...bounds), fc.double({ min: 0, max: 20, noNaN: true }));
  const observation = fc.record({
    value,
    weight: fc.integer({ min: 1, max: 1000 }),
    thread: fc.nat({ max: 2 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(observation, { maxLength: 50 }), async (observations) => {
      const counts = createCounts(3);
      for (const { value, weight, thread } of observations) {
        new ThreadCounts(counts, thread).observe(HISTOGRAM.requestSeconds, value, weight);
      }
      const seen = await samples(counts);
      const upTo = (bound: number) =>
        observations.reduce((n, { value, weight }) => n + (value <= bound ? weight : 0), 0);
      for (const bound of bounds) {
        assert.equal(seen.get(`${name}_bucket{le="${bound}"}`), upTo(bound));
      }
      assert.equal(seen.get(`${name}_bucket{le="+Inf"}`), upTo(Number.POSITIVE_INFINITY));
      assert.equal(seen.get(`${name}_count`), upTo(Number.POSITIVE_INFINITY));
      const total = observations.reduce((s, { value, weight }) => s + value * weight, 0);
      assert.ok(Math.abs(seen.get(`${name}_sum`)! - total) <= 1e-9 * Math.max(1, total));
    }),
    { seed, numRuns: 200 },
  );
});

test('reasons: the first 50 have a label of their own, and those that differ in ids only have one', () => {
  const reasons = new ReasonCounts();
  for (let i = 0; i < 1000; i++)
    reasons.add('retry', `order 01K3V6GQ7M8ZQW4T9XB2C00000-${i} of ${10_000 + i}`);
  reasons.add('retry', 'HTTP 503');
  reasons.add('dead', 'HTTP 503');
  assert.deepEqual(reasons.totals(), [
    { outcome: 'retry', reason: 'order # of #', value: 1000 },
    { outcome: 'retry', reason: 'HTTP 503', value: 1 },
    { outcome: 'dead', reason: 'HTTP 503', value: 1 },
  ]);
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  for (const a of letters) for (const b of letters) reasons.add('dead', `reason ${a}${b}`);
  const labels = new Set(reasons.totals().map(({ reason }) => reason));
  assert.equal(labels.size, 51);
  const other = reasons.totals().find(({ reason }) => reason === 'other')!;
  assert.equal(other.value, letters.length ** 2 - 48);
  assert.ok(reasons.labelOf('x'.repeat(1000)).length <= 100);
});
