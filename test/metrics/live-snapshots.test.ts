import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { createRegistry } from '../../src/metrics/collect.js';
import {
  COUNTER,
  createCounts,
  GAUGE,
  HISTOGRAM,
  responseCounter,
  ThreadCounts,
} from '../../src/metrics/count.js';
import { LiveSnapshots } from '../../src/metrics/live-snapshots.js';
import { ThreadLoad } from '../../src/metrics/thread-load.js';
import { STATUSES } from '../../src/model/answers.js';
import { localDurability } from '../../src/model/durability.js';

const DURABILITY = localDurability({ name: 'ext4', kind: 'disk' });

import { loadOptions } from '../../src/options/load.js';
import { samplesOf } from './exposition.js';

const STORAGE = { freeBytes: 15, sizeBytes: 16, journalBytes: 17 };
const EVENTS = [
  {
    atMs: 1,
    level: 'info',
    event: 'ready',
    line: 'the server accepts orders',
    facts: '',
    leftOut: 0,
  },
] as const;
const THREADS = ['main', 'intake-0', 'intake-1'];
const build = {
  version: '1',
  node: 'v20',
  mode: 'queue',
  journal: 'local' as const,
  path: '/orders',
  schema: '0123456789abcdef',
};

function opened() {
  const counts = createCounts(THREADS.length);
  const live = {
    rps: () => 7,
    pendingOrders: () => 8,
    oldestAgeSeconds: () => 9.0004,
    deadLetters: () => 10,
    deadLettersMax: () => 11,
    diskFreeBytes: () => 15,
    diskSizeBytes: () => 16,
    journalBytes: () => 17,
    unreadableRows: () => 0,
    damagedFiles: () => 0,
    rpsLimit: () => 12,
    drainRate: () => 13,
    spoolOrdersMax: () => 14,
    ready: () => 1,
    journalReachable: () => 1,
    journalDegraded: () => 0,
    drainPaused: () => 0,
    backlogGoneAt: () => 18,
    windowEndsAt: () => 19,
    tlsNotAfter: () => 0,
    senderFilesRefused: () => 0,
  };
  const durability = () => DURABILITY;
  const threadLoad = () => new ThreadLoad(counts, THREADS, () => []);
  const snapshots = new LiveSnapshots({
    options: loadOptions(['--rps-limit', '50', '--drain-rate', '60'], {}),
    counts,
    live,
    durability,
    threadLoad: threadLoad(),
    threads: [...THREADS, 'pool-0'],
    storage: () => STORAGE,
    scheduledGoneAtMs: () => 18,
    events: () => EVENTS,
    build,
    reasons: () => ['not ready'],
    degraded: () => [],
  });
  const registry = createRegistry({
    counts,
    live,
    durability,
    keyResponses: () => [],
    failureReasons: () => [],
    threadLoad: threadLoad(),
    build,
  });
  const threads = THREADS.map((_, i) => new ThreadCounts(counts, i));
  return { snapshots, registry, threads };
}

test('a snapshot has the same numbers as /metrics at that moment', async () => {
  const { snapshots, registry, threads } = opened();
  let n = 1;
  for (const counts of threads) {
    for (const counter of Object.values(COUNTER)) counts.add(counter, n++);
    for (const gauge of Object.values(GAUGE)) counts.set(gauge, n++);
    for (const histogram of Object.values(HISTOGRAM)) counts.observe(histogram, 0.003, n++);
  }
  const { row, now } = snapshots.take();
  const samples = samplesOf(await registry.metrics());
  const expected = {
    answers: STATUSES.map((s) => samples.get(`forebay_http_responses_total{status="${s}"}`)),
    done: samples.get('work_done_total{status="done"}'),
    failed: samples.get('work_done_total{status="error"}'),
    frames: samples.get('forebay_frames_committed_total'),
    aborted: samples.get('forebay_aborted_requests_total'),
    retries: samples.get('forebay_retries_total'),
    dead: samples.get('forebay_dead_total'),
    deadLetters: samples.get('forebay_dead_letters'),
    deadLettersMax: samples.get('forebay_dead_letters_max'),
    waitingOrders: samples.get('forebay_waiting_orders'),
    pendingOrders: samples.get('forebay_journal_pending_orders'),
    scheduledGoneAtMs: 18,
    oldestAgeSeconds: 9,
    spoolOrders: samples.get('forebay_spool_orders'),
    spooled: samples.get('forebay_spooled_orders_total'),
    forwarded: samples.get('forebay_spool_forwarded_orders_total'),
    rps: samples.get('forebay_rps'),
    memoryBytes: now.memoryBytes,
    storage: {
      freeBytes: samples.get('forebay_disk_free_bytes'),
      sizeBytes: samples.get('forebay_disk_size_bytes'),
      journalBytes: samples.get('forebay_journal_bytes'),
    },
    durability: DURABILITY,
    reasons: ['not ready'],
    degraded: [],
  };
  assert.deepEqual(now, expected);
  for (const [name, buckets] of [
    ['forebay_http_request_duration_seconds', row.requestSeconds],
    ['forebay_handler_duration_seconds', row.handlerSeconds],
    ['forebay_order_age_seconds', row.orderAgeSeconds],
    ['forebay_frame_orders', row.frameOrders],
  ] as const) {
    const sum = buckets.reduce((total, counted) => total + counted, 0);
    assert.equal(sum, samples.get(`${name}_count`), name);
    assert.ok(sum > 0);
  }
  assert.equal(
    row.commitSeconds.reduce((total, counted) => total + counted, 0),
    samples.get('forebay_commit_duration_seconds_count{journal="local"}'),
  );
  assert.equal(row.accepted, samples.get('forebay_orders_accepted_total'));
  assert.equal(row.drainRate, samples.get('forebay_drain_rate'));
  assert.equal(row.isPaused, false);
  const rss = samples.get('process_resident_memory_bytes')!;
  assert.ok(now.memoryBytes > rss / 2 && now.memoryBytes < rss * 2, `${now.memoryBytes}, ${rss}`);
  assert.equal(snapshots.events(), EVENTS);
  assert.equal(row.framedOrders, samples.get('forebay_frame_orders_sum'));
  assert.deepEqual(
    row.lagMs.slice(0, -1),
    THREADS.map((name) => samples.get(`forebay_event_loop_lag_seconds{thread="${name}"}`)! * 1000),
  );
  assert.equal(row.lagMs.at(-1), null);
});

test('a row counts what happened since the previous row, exactly once', () => {
  const { snapshots, threads } = opened();
  const [, one, two] = threads as [ThreadCounts, ThreadCounts, ThreadCounts];
  one.add(responseCounter(200), 5);
  two.add(responseCounter(200), 6);
  two.add(COUNTER.workDone, 3);
  one.observe(HISTOGRAM.requestSeconds, 0.003, 4);
  const at200 = snapshots.facts.statuses.indexOf(200);
  const first = snapshots.take().row;
  assert.equal(first.answers[at200], 11);
  assert.equal(first.done, 3);
  one.add(responseCounter(200), 1);
  const second = snapshots.take();
  assert.equal(second.row.answers[at200], 1);
  assert.equal(second.row.done, 0);
  assert.ok(second.row.requestSeconds.every((counted) => counted === 0));
  assert.equal(second.now.answers[at200], 12);
});

test('the facts contain the options, and differ between two processes', () => {
  const { facts } = opened().snapshots;
  assert.equal(facts.rpsLimit, 50);
  assert.equal(facts.drains, true);
  assert.equal(facts.spools, false);
  assert.equal(facts.host, hostname());
  assert.ok(facts.memoryBytesMax > process.memoryUsage.rss());
  assert.equal(facts.historyS, 15 * 60);
  assert.equal(
    facts.bounds.requestSeconds.length + 1,
    opened().snapshots.take().row.requestSeconds.length,
  );
  assert.notEqual(facts.boot, opened().snapshots.facts.boot);
});
