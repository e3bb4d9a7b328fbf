import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeRecord } from '../../src/journal/frame/record.js';
import { spoolDeadLetter } from '../../src/journal/store/dead-letter-rows.js';
import { freshKey } from '../../src/journal/store/frame-rows.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { ledgerHandler } from '../drain/handlers.js';
import { fresh, newFrameId } from '../journal/frames.js';
import { startForebay } from '../support/forebay.js';
import { NatsServer } from '../support/nats.js';
import { eventually, metric } from '../support/orders.js';

test('damaged rows of the spool are reported, and those behind them are forwarded', async (t) => {
  const data = await mkdtemp(join(tmpdir(), 'forebay-damaged-spool-'));
  t.after(() => rm(data, { recursive: true, force: true }));
  const frames = Array.from({ length: 5 }, () => fresh(2));
  const letters = Array.from({ length: 3 }, () => `${newFrameId()}-0`);
  const store = new LocalStore(data);
  await store.write(() => {
    for (const [i, frame] of frames.entries()) {
      const key = freshKey(frame);
      const value = encodeRecord(frame, key);
      if (i % 2 === 0) value[value.length - 10]! ^= 1;
      store.frames.put(key, value);
    }
    for (const orderId of letters) {
      const times = { firstAtMs: 1, lastAtMs: 2 };
      const letter = { orderId, reason: 'r', attempts: 1, ...times, body: Buffer.from('{}') };
      spoolDeadLetter(store, { letter, messageId: `m-${orderId}` });
    }
  });
  store.refresh();
  const [first] = Array.from(store.deadSpool.getRange({ limit: 1 }), ({ key, value }) => ({
    key: Buffer.from(key),
    value: Buffer.from(value),
  }));
  first!.value[30]! ^= 1;
  await store.write(() => void store.deadSpool.put(first!.key, first!.value));
  await store.close();

  const nats = await NatsServer.start();
  t.after(() => nats.stop());
  const ledger = await ledgerHandler(t);
  const forebay = await startForebay(['--nats', nats.url, '--handler', ledger.file], {
    owner: t,
    data,
  });
  await eventually(
    'the others are done',
    async () => (await metric(forebay, 'work_done_total{status="done"}')) === 4,
  );
  await eventually(
    'the other dead letters are in NATS',
    async () => (await metric(forebay, 'forebay_dead_letters')) === 2,
  );
  await eventually(
    'the damaged rows are counted',
    async () => (await metric(forebay, 'forebay_unreadable_rows')) === 4,
  );
  await eventually(
    'the spool is empty',
    async () => (await metric(forebay, 'forebay_spool_orders')) === 0,
  );
  assert.match(forebay.stderr, /"event":"frame-unreadable"/);
  assert.match(forebay.stderr, /"event":"letter-unreadable"/);
  assert.equal(await forebay.stop(), 0);
});
