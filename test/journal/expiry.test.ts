import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startExpiry } from '../../src/journal/store/expiry.js';
import { recordKeys } from '../../src/journal/store/idempotency-rows.js';
import { LocalStore, type Table } from '../../src/journal/store/local-store.js';
import {
  findReceipt,
  recordForwarded,
  recordLetterSteps,
  recordSettled,
} from '../../src/journal/store/receipt-rows.js';
import { frameTime } from '../../src/model/frame.js';
import { fresh } from './frames.js';

const HOUR_MS = 3_600_000;
const HORIZONS = { settledS: 60, idempotencyS: 60 };

/** Expiry runs every 5 s, by a timer that the mock advances. */
async function rounds(t: TestContext, store: LocalStore, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    t.mock.timers.tick(5000);
    // Waits for the writes of the round.
    await store.write(() => store.meta.put(Buffer.from('round'), Buffer.from([i])));
  }
  store.refresh();
}

function open(t: TestContext): LocalStore {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-forget-'));
  const store = new LocalStore(folder);
  t.after(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });
  t.mock.timers.enable({ apis: ['setInterval'] });
  return store;
}

function frameId(epochMs: number, number: number): string {
  return frameTime(epochMs) + String(number).padStart(16, '0');
}

function settled(id: string, dead: readonly string[] = []) {
  return { id, count: 2, refiled: [], dead, doneAfterRetry: [] };
}

test('a frame that was old when it was settled is remembered as long as any other', async (t) => {
  const store = open(t);
  const old = frameId(Date.now() - HOUR_MS, 1);
  await store.write(() => recordSettled(store, settled(old)));
  const before = frameId(Date.now() - HOUR_MS, 2);
  await store.write(() => {
    // Like a row of an earlier version, without the time.
    store.settled.put(Buffer.from(before, 'latin1'), Buffer.from([0, 0, 0, 2]));
  });
  t.after(startExpiry(store, HORIZONS));
  await rounds(t, store, 3);
  assert.equal(findReceipt(store, old, 1), 'done');
  assert.equal(findReceipt(store, before, 1), 'unknown');
});

test('dropped dead letters expire, however many kept ones are in front of them', async (t) => {
  const store = open(t);
  const id = frameId(Date.now() - HOUR_MS, 1);
  const orders = Array.from({ length: 9000 }, (_, i) => `${id}-${String(i).padStart(4, '0')}`);
  await store.write(() => {
    recordSettled(store, settled(id, orders));
    recordLetterSteps(store, { replayed: [], dropped: orders.slice(-5) });
  });
  t.after(startExpiry(store, HORIZONS));
  await rounds(t, store, 3);
  const { entryCount } = store.exceptions.getStats() as { entryCount: number };
  assert.equal(entryCount, 8995);
});

test('a dead letter that was kept when it was looked at, and is dropped later, expires too', async (t) => {
  const store = open(t);
  const id = frameId(Date.now() - HOUR_MS, 1);
  await store.write(() => recordSettled(store, settled(id, [`${id}-0`, `${id}-1`])));
  t.after(startExpiry(store, HORIZONS));
  await rounds(t, store, 2);
  await store.write(() =>
    recordLetterSteps(store, { replayed: [], dropped: [`${id}-0`, `${id}-1`] }),
  );
  await rounds(t, store, 2);
  assert.deepEqual(idsIn(store.exceptions), []);
});

function idsIn(table: Table): string[] {
  return Array.from(table.getKeys(), (key) => key.toString('latin1'));
}

/** Frames of these ages, each with an idempotency key, that another journal has. */
async function forwarded(store: LocalStore, agesMs: readonly number[]): Promise<string[]> {
  const frames = agesMs.map((ageMs, i) => ({
    ...fresh(1, frameId(Date.now() - ageMs, i)),
    keys: [{ position: 0, key: `key ${i}`, digest: 'd' }],
  }));
  await store.write(() => {
    for (const frame of frames) {
      recordForwarded(store, frame);
      recordKeys(store, frame);
    }
  });
  return frames.map(({ id }) => id);
}

test('idempotency keys, and frames that another journal has, are forgotten each after its own time', async (t) => {
  const store = open(t);
  const ids = await forwarded(store, [3 * HOUR_MS, HOUR_MS, 0]);
  t.after(startExpiry(store, { settledS: 1800, idempotencyS: 7200 }));
  await rounds(t, store, 1);
  assert.deepEqual(idsIn(store.forwarded), ids.slice(2));
  assert.deepEqual(idsIn(store.keys), ids.slice(1));
});

test('what the frame log needs is remembered for longer, and nothing else for less long', async (t) => {
  const store = open(t);
  const ids = await forwarded(store, [3 * HOUR_MS, HOUR_MS, 0]);
  await store.write(() => {
    // As if they were settled long ago.
    for (const id of ids) store.settled.put(Buffer.from(id, 'latin1'), Buffer.alloc(8));
  });
  let keptFrom: string | null = ids[1]!;
  t.after(startExpiry(store, { settledS: 1800, idempotencyS: 7200 }, () => keptFrom));
  for (const [from, remembered] of [
    [ids[1]!, ids.slice(1)],
    [frameId(Date.now() + HOUR_MS, 9), ids.slice(2)],
    [null, ids.slice(2)],
  ] as const) {
    keptFrom = from;
    await rounds(t, store, 2);
    assert.deepEqual(idsIn(store.forwarded), remembered);
    assert.deepEqual(idsIn(store.settled), remembered);
  }
});
