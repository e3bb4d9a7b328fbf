import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { type Collected, createRegistry } from '../../src/metrics/collect.js';
import {
  COUNTER,
  createCounts,
  HISTOGRAM,
  responseCounter,
  ThreadCounts,
} from '../../src/metrics/count.js';
import { histogramFamilies } from '../../src/metrics/histogram-names.js';
import {
  counterFamilies,
  gaugeFamilies,
  keyFamily,
  liveFamilies,
  METRICS_TYPE,
  reasonFamily,
} from '../../src/metrics/names.js';
import { processFamilies } from '../../src/metrics/process-names.js';
import { ThreadLoad } from '../../src/metrics/thread-load.js';
import { publishThreadStats } from '../../src/metrics/thread-stats.js';
import { STATUSES } from '../../src/model/answers.js';
import { RUNS_ALL } from '../support/program.js';
import { samplesOf } from './exposition.js';
import { promtoolComplaints } from './promtool.js';

const THREADS = 3;

function collected(counts: SharedArrayBuffer, live: Partial<Collected['live']> = {}): Collected {
  return {
    counts,
    live: {
      rps: () => 7,
      pendingOrders: () => 8,
      oldestAgeSeconds: () => 9,
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
      ...live,
    },
    keyResponses: () => [],
    failureReasons: () => [],
    durability: () => ({ class: 'fsync', replicas: 1 }),
    threadLoad: new ThreadLoad(counts, ['main', 'intake-1', 'intake-2'], () => []),
    build: { version: '0.1.0', node: process.version, mode: 'queue', journal: 'local' },
  };
}

function textOf(counts: SharedArrayBuffer, live: Partial<Collected['live']> = {}): Promise<string> {
  return createRegistry(collected(counts, live)).metrics();
}

test('the media type is that of the text', () => {
  assert.equal(createRegistry(collected(createCounts(THREADS))).contentType, METRICS_TYPE);
});

test('concurrent counts of real threads are summed exactly', async () => {
  const counts = createCounts(THREADS);
  const rounds = 200_000;
  const url = new URL('./counting-worker.js', import.meta.url);
  const workers = Array.from(
    { length: THREADS },
    (_, threadIndex) => new Worker(url, { workerData: { memory: counts, threadIndex, rounds } }),
  );
  try {
    await Promise.all(workers.map((worker) => once(worker, 'message')));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  const samples = samplesOf(await textOf(counts));
  const all = THREADS * rounds;
  assert.equal(samples.get('forebay_orders_accepted_total'), 2 * all);
  assert.equal(samples.get('forebay_http_responses_total{status="200"}'), all);
  assert.equal(samples.get('forebay_http_responses_total{status="503"}'), 0);
  assert.equal(samples.get('forebay_waiting_orders'), all);
  assert.equal(samples.get('forebay_frame_orders_count'), all);
  assert.equal(samples.get('forebay_frame_orders_sum'), (all / 2000) * ((2000 * 2001) / 2));
  assert.equal(samples.get('forebay_frame_orders_bucket{le="512"}'), (all / 2000) * 512);
  const commit = (end: string) => samples.get(`forebay_commit_duration_seconds${end}`);
  assert.equal(commit('_bucket{journal="local",le="0.25"}'), 3 * all);
  assert.equal(commit('_bucket{journal="local",le="0.1"}'), 0);
  assert.equal(commit('_sum{journal="local"}'), 0.25 * 3 * all);
  assert.equal(commit('_count{journal="jetstream"}'), 0);
});

test('promtool accepts /metrics, initially and after every series has been counted', {
  skip: !RUNS_ALL && 'needs promtool: npm run test:all',
}, async () => {
  const counts = createCounts(THREADS);
  assert.equal(await promtoolComplaints(await textOf(counts)), '');
  const thread = new ThreadCounts(counts, 1);
  for (const counter of Object.values(COUNTER)) thread.add(counter, 1.5);
  for (const histogram of Object.values(HISTOGRAM)) thread.observe(histogram, 0.3);
  const stop = publishThreadStats(new ThreadCounts(counts, 0));
  try {
    assert.equal(await promtoolComplaints(await textOf(counts)), '');
  } finally {
    stop();
  }
});

test('every series of the catalogue exists from the start, at 0', async () => {
  const samples = samplesOf(await textOf(createCounts(THREADS)));
  for (const { name, cells } of [...counterFamilies, ...gaugeFamilies]) {
    for (const labels of Object.values(cells)) assert.equal(samples.get(seriesOf(name, labels)), 0);
  }
  for (const { name, cells, bounds } of histogramFamilies) {
    for (const labels of Object.values(cells)) {
      for (const le of [...bounds, '+Inf']) {
        assert.equal(samples.get(seriesOf(`${name}_bucket`, { ...labels, le: `${le}` })), 0);
      }
      assert.equal(samples.get(seriesOf(`${name}_sum`, labels)), 0);
      assert.equal(samples.get(seriesOf(`${name}_count`, labels)), 0);
    }
  }
  for (const thread of ['main', 'intake-1', 'intake-2']) {
    assert.equal(samples.get(`forebay_event_loop_lag_seconds{thread="${thread}"}`), 0);
  }
});

function seriesOf(name: string, labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return parts.length === 0 ? name : `${name}{${parts.join(',')}}`;
}

test('live gauges, the build and the process are shown, and no metric outside the catalogue', async () => {
  const text = await textOf(createCounts(THREADS));
  const samples = samplesOf(text);
  assert.equal(samples.get('forebay_rps'), 7);
  assert.equal(samples.get('forebay_journal_pending_orders'), 8);
  assert.equal(samples.get('forebay_journal_oldest_age_seconds'), 9);
  assert.equal(samples.get('forebay_dead_letters'), 10);
  assert.equal(samples.get('forebay_dead_letters_max'), 11);
  assert.equal(samples.get('forebay_rps_limit'), 12);
  assert.equal(samples.get('forebay_drain_rate'), 13);
  assert.equal(samples.get('forebay_spool_orders_max'), 14);
  const build = `version="0.1.0",node="${process.version}",mode="queue",journal="local"`;
  assert.equal(samples.get(`forebay_build_info{${build}}`), 1);
  assert.ok(samples.get('process_resident_memory_bytes')! > 1e6);
  const shown = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  const catalogue = [
    ...counterFamilies,
    keyFamily,
    reasonFamily,
    ...gaugeFamilies,
    ...histogramFamilies,
    ...Object.values(liveFamilies),
    ...Object.values(processFamilies),
  ].map(({ name }) => name);
  assert.deepEqual(shown.sort(), catalogue.sort());
});

test('a live gauge without a value shows 0, not NaN', async () => {
  const text = await textOf(createCounts(THREADS), { rps: () => Number.NaN });
  assert.equal(samplesOf(text).get('forebay_rps'), 0);
  assert.doesNotMatch(text, /nan/i);
});

test('each status has its own counter', async () => {
  const counts = createCounts(THREADS);
  const thread = new ThreadCounts(counts, 2);
  STATUSES.forEach((status, i) => {
    thread.add(responseCounter(status), i + 1);
  });
  const samples = samplesOf(await textOf(counts));
  STATUSES.forEach((status, i) => {
    assert.equal(samples.get(`forebay_http_responses_total{status="${status}"}`), i + 1);
  });
});
