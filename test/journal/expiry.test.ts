import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startExpiry } from '../../src/journal/store/expiry.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import {
  findReceipt,
  recordLetterSteps,
  recordSettled,
} from '../../src/journal/store/receipt-rows.js';
import { frameTime } from '../../src/model/frame.js';

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
