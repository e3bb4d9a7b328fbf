import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { LocalAppender } from '../../src/journal/local/appender.js';
import { LocalSource } from '../../src/journal/local/source.js';
import { LocalUnreadable, watchUnreadable } from '../../src/journal/local/unreadable.js';
import {
  firstSpooledDeadLetter,
  putDeadLetter,
  spoolDeadLetter,
} from '../../src/journal/store/dead-letter-rows.js';
import { freshKey, putLater } from '../../src/journal/store/frame-rows.js';
import { recordKeys } from '../../src/journal/store/idempotency-rows.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { recordSettled } from '../../src/journal/store/receipt-rows.js';
import { moveUnreadable, unreadableKeys } from '../../src/journal/store/unreadable-rows.js';
import type { StoredDeadLetter } from '../../src/model/dead-letters.js';
import type { Frame } from '../../src/model/frame.js';
import type { LogEvent } from '../../src/model/log.js';
import type { UnreadableEntry } from '../../src/model/unreadable.js';
import { fresh, NOTHING, newFrameId, plain, take, takeFor, until } from './frames.js';

interface Opened {
  readonly data: string;
  readonly store: LocalStore;
  readonly events: LogEvent[];
  readonly source: () => LocalSource;
}

function opened(t: TestContext): Opened {
  const data = mkdtempSync(join(tmpdir(), 'forebay-damaged-'));
  const store = new LocalStore(data);
  const events: LogEvent[] = [];
  const sources: LocalSource[] = [];
  t.after(async () => {
    for (const source of sources) await source.close();
    await store.close();
    rmSync(data, { recursive: true });
  });
  const source = () => {
    const one = new LocalSource(new LocalStore(data), {
      newFrameId,
      acceptedOrders: () => 0,
      retryMsMax: 60_000,
      log: (event) => events.push(event),
    });
    sources.push(one);
    return one;
  };
  return { data, store, events, source };
}

type TableName = 'frames' | 'later' | 'dead' | 'deadSpool' | 'keys' | 'settled' | 'exceptions';

/** Changes each row of a table. */
async function change(
  store: LocalStore,
  table: TableName,
  how: (value: Buffer) => Buffer,
): Promise<void> {
  store.refresh();
  const rows = Array.from(store[table].getRange(), ({ key, value }) => ({
    key: Buffer.from(key),
    value: Buffer.from(value),
  }));
  await store.write(() => {
    for (const { key, value } of rows) store[table].put(key, how(value));
  });
}

function flipped(value: Buffer, at: number, mask = 1): Buffer {
  const out = Buffer.from(value);
  out[at]! ^= mask;
  return out;
}

async function listed(store: LocalStore): Promise<UnreadableEntry[]> {
  const entries = [];
  store.refresh();
  for await (const entry of new LocalUnreadable(store).list()) entries.push(entry);
  return entries;
}

const DAMAGED_ROW = Buffer.from('{"v":1,"id":"x"}\n');

/** @returns their keys */
async function damagedRows(store: LocalStore, count: number): Promise<Buffer[]> {
  const keys = Array.from({ length: count }, () => freshKey({ ...fresh(1), id: newFrameId() }));
  await store.write(() => {
    for (const key of keys) store.frames.put(key, DAMAGED_ROW);
  });
  return keys;
}

/** As a server does that comes across them. */
async function moveAll(store: LocalStore, keys: readonly Buffer[]): Promise<void> {
  await store.write(() => {
    for (const key of keys) moveUnreadable(store, { table: 'frames', key, value: DAMAGED_ROW });
  });
}

function letter(orderId: string): StoredDeadLetter {
  const body = Buffer.from('{"product_id":"1","count":"1","username":"x"}');
  return { orderId, reason: 'r', attempts: 1, firstAtMs: 1, lastAtMs: 2, body };
}

describe('a row of a frame', () => {
  test('with any byte changed is never delivered', async (t) => {
    const { store, events, source } = opened(t);
    const [damaged, whole] = [fresh(2), fresh(3)];
    const appender = new LocalAppender(new LocalStore(store.folder));
    await appender.commit(damaged);
    await appender.close();
    const key = freshKey(damaged);
    const value = Buffer.from(store.frames.getBinary(key)!);
    await store.write(() => void store.frames.remove(key));
    // Each as a row of its own, under the right key or not.
    const rows = Array.from({ length: value.length }, (_, at) => {
      const id = newFrameId();
      return { key: freshKey({ ...damaged, id }), value: flipped(value, at, 1 << (at % 8)) };
    });
    await store.write(() => {
      for (const row of rows) store.frames.put(row.key, row.value);
      for (let at = 0; at < key.length; at++) store.frames.put(flipped(key, at), value);
      store.frames.put(key, flipped(value, value.length - 20));
    });
    const behind = new LocalAppender(new LocalStore(store.folder));
    await behind.commit(whole);
    await behind.close();
    const from = source();
    await from.counted;
    const found = await take(from, 1);
    assert.deepEqual(
      found.map(({ frame }) => plain(frame)),
      [plain(whole)],
    );
    await found[0]!.settle(NOTHING);
    assert.deepEqual(await takeFor(from, 50), []);
    await until(() => from.pendingOrders() === 0, 'nothing is pending');
    assert.equal(from.oldestAcceptedAtMs(), 0);
    assert.deepEqual([...new Set(events)], ['frame-unreadable']);
    assert.equal((await listed(store)).length, value.length + key.length + 1);
  });

  test('with a key that no frame has does not hold up the others', async (t) => {
    const { data, store, source } = opened(t);
    const keys = [' ', '\n', 'x', 'x'.repeat(40), 'x'.repeat(1900), '\xff'.repeat(64)];
    await store.write(() => {
      for (const key of keys) {
        store.frames.put(Buffer.from(key, 'latin1'), Buffer.from('{"v":1,"id":"x"}\n'));
        store.later.put(Buffer.from(key, 'latin1'), Buffer.alloc(0));
      }
    });
    const frame = fresh(1);
    const appender = new LocalAppender(new LocalStore(data));
    await appender.commit(frame);
    await appender.close();
    const from = source();
    const found = await take(from, 1);
    assert.deepEqual(plain(found[0]!.frame), plain(frame));
    await found[0]!.settle(NOTHING);
    assert.deepEqual(await takeFor(from, 50), []);
    const entries = await listed(store);
    assert.equal(entries.length, 2 * keys.length);
    for (const { name } of entries) assert.match(name, /^[\w .-]{0,64}$/);
  });

  // More than are read at a time.
  test('is listed once, although a server moves it meanwhile', async (t) => {
    const { store } = opened(t);
    const keys = await damagedRows(store, 600);
    const ids = [];
    for await (const { id } of new LocalUnreadable(store).list()) {
      if (ids.push(id) === 300) await moveAll(store, keys.slice(150));
    }
    assert.equal(ids.length, 600);
    assert.equal(new Set(ids).size, 600);
  });

  test('is set aside once, although a server moves it meanwhile', async (t) => {
    const { store } = opened(t);
    const keys = await damagedRows(store, 12);
    const ids = [];
    for await (const { id } of new LocalUnreadable(store).setAside(null)) {
      if (ids.push(id) === 3) await moveAll(store, keys.slice(3));
    }
    assert.equal(new Set(ids).size, 12);
    const places = (await listed(store)).map(({ place }) => place);
    assert.deepEqual(places, new Array(12).fill('file'));
  });

  test('is reported, and its order is still known as accepted', async (t) => {
    const { data, store, source, events } = opened(t);
    const frame = fresh(2);
    const appender = new LocalAppender(new LocalStore(data));
    await appender.commit(frame);
    await appender.close();
    await change(store, 'frames', (value) => flipped(value, value.length - 5));
    assert.equal((await listed(store)).length, 1);
    const from = source();
    assert.deepEqual(await takeFor(from, 50), []);
    await until(() => watchUnreadable(store, () => {}).counts().rows === 1, 'it was moved');
    const [entry] = await listed(store);
    assert.match(entry!.id, /^frames-[0-9a-f]{8}$/);
    assert.equal(entry!.name, frame.id);
    assert.match(entry!.reason, /checksum/);
    assert.equal(await from.receipt(frame.id, 1), 'accepted');
    assert.equal(await from.receipt(frame.id, 2), 'unknown');
    assert.deepEqual(events, ['frame-unreadable']);
  });

  test('that can be read again is processed after the next start', async (t) => {
    const { data, store, source } = opened(t);
    const [fresher, retry] = [fresh(1), { ...fresh(2), attempt: 2, refiled: origin(2) }];
    const appender = new LocalAppender(new LocalStore(data));
    await appender.commit(fresher);
    await appender.close();
    await store.write(() => putLater(store, retry));
    for (const table of ['frames', 'later'] as const) {
      await change(store, table, (value) => flipped(value, 40));
    }
    const first = source();
    assert.deepEqual(await takeFor(first, 50), []);
    await until(() => watchUnreadable(store, () => {}).counts().rows === 2, 'both were moved');
    assert.equal(first.oldestAcceptedAtMs(), 0);
    await first.close();
    await change(store, 'unreadable' as TableName, (value) => flipped(value, 40));
    const second = source();
    const found = await take(second, 2);
    const byCount = [fresher, retry].map(plain);
    assert.deepEqual(
      found.map(({ frame }) => plain(frame)).sort((a, b) => a.count - b.count),
      byCount,
    );
    for (const delivery of found) await delivery.settle(NOTHING);
    assert.equal(second.pendingOrders(), 0);
    assert.equal(second.oldestAcceptedAtMs(), 0);
    assert.deepEqual(await listed(store), []);
  });

  test('of a version without checksums is delivered, unless it contradicts itself', async (t) => {
    const { store, source } = opened(t);
    // Such a version did not name the schema.
    const { schema: _, ...frame } = fresh(3);
    const header = (more: object = {}) =>
      Buffer.concat([
        Buffer.from(`${JSON.stringify({ ...old(frame), ...more })}\n`),
        frame.payload,
      ]);
    const lies: object[] = [
      { count: 4 },
      { count: 2 },
      { count: -3 },
      { count: 1e300 },
      { count: '3' },
      { id: 'another' },
      { id: 7 },
      { acceptedAtMs: 2 ** 60 },
      { acceptedAtMs: frame.acceptedAtMs + 1 },
      { attempt: 0 },
      { notBeforeMs: -1 },
      { refiled: { origin: 'x', indexes: [1, 2] } },
      { refiled: { origin: 'x', indexes: [1, 2, 2] } },
      { refiled: { origin: 'x', indexes: [1, 2, 1e12] } },
      { refiled: { origin: 'a b', indexes: [1, 2, 3] } },
      { refiled: {} },
      { keys: [{ position: 3, key: 'k', digest: 'd' }] },
      { keys: [{ position: -1, key: 'k', digest: 'd' }] },
      {
        keys: [
          { position: 1, key: 'k', digest: 'd' },
          { position: 1, key: 'l', digest: 'd' },
        ],
      },
      { keys: 'k' },
      { v: 2 },
    ];
    const key = freshKey(frame);
    for (const lie of lies) {
      await store.write(() => void store.frames.put(key, header(lie)));
      const from = source();
      assert.deepEqual(await takeFor(from, 10), [], JSON.stringify(lie));
      await from.close();
      assert.equal((await listed(store)).length, 1, JSON.stringify(lie));
      await store.write(() => {
        for (const moved of store.unreadable.getKeys()) store.unreadable.remove(Buffer.from(moved));
      });
    }
    await store.write(() => void store.frames.put(key, header()));
    const [delivery] = await take(source(), 1);
    assert.deepEqual(plain(delivery!.frame), plain(frame));
  });
});

function origin(count: number) {
  return { origin: newFrameId(), indexes: Array.from({ length: count }, (_, i) => i) };
}

/** The header of 0.1.0. */
function old({ id, count, acceptedAtMs, attempt, notBeforeMs }: Frame) {
  return { v: 1, id, count, acceptedAtMs, attempt, notBeforeMs };
}

describe('other rows', () => {
  test('dead letters that cannot be read are moved, and those behind them are found', async (t) => {
    const { store } = opened(t);
    const [broken, fine] = [`${newFrameId()}-0`, `${newFrameId()}-1`];
    await store.write(() => {
      putDeadLetter(store, letter(broken));
      spoolDeadLetter(store, { letter: letter(broken), messageId: 'm' });
    });
    for (const table of ['dead', 'deadSpool'] as const) {
      await change(store, table, (value) => flipped(value, value.length - 10));
    }
    await store.write(() => {
      putDeadLetter(store, letter(fine));
      spoolDeadLetter(store, { letter: letter(fine), messageId: 'm' });
    });
    assert.equal(firstSpooledDeadLetter(store)?.letter.orderId, fine);
    const events: LogEvent[] = [];
    const watch = watchUnreadable(store, (event) => events.push(event));
    await until(() => watch.counts().rows === 2, 'both were moved');
    await watch.close();
    assert.deepEqual(events, ['letter-unreadable', 'letter-unreadable']);
    store.refresh();
    assert.equal((store.dead.getStats() as { entryCount: number }).entryCount, 1);
    assert.deepEqual(
      (await listed(store)).map(({ what }) => what),
      ['dead letter', 'dead letter'],
    );
  });

  test('idempotency keys that cannot be read are left out and moved', async (t) => {
    const { store, source, events } = opened(t);
    const keyed = (key: string) => ({ ...fresh(1), keys: [{ position: 0, key, digest: 'd' }] });
    await store.write(() => recordKeys(store, keyed('one')));
    await change(store, 'keys', (value) => flipped(value, value.length - 10));
    await store.write(() => recordKeys(store, keyed('two')));
    const keys = Array.from(source().keys(0), ({ key }) => key);
    assert.deepEqual(keys, ['two']);
    assert.deepEqual(events, ['keys-unreadable']);
    await until(() => watchUnreadable(store, () => {}).counts().rows === 1, 'it was moved');
    unreadableKeys(store, () => {})(Buffer.from('gone'), '');
  });

  test('a receipt is not given from a row that was changed', async (t) => {
    const { store, source } = opened(t);
    const id = newFrameId();
    const settled = { id, count: 3, refiled: [`${id}-1`], dead: [], doneAfterRetry: [] };
    await store.write(() => recordSettled(store, settled));
    const from = source();
    assert.equal(await from.receipt(id, 0), 'done');
    assert.equal(await from.receipt(id, 1), 'accepted');
    await change(store, 'exceptions', (value) => flipped(value, 0, 5));
    await assert.rejects(from.receipt(id, 1), /damaged/);
    assert.equal(await from.receipt(id, 0), 'done');
    await change(store, 'settled', (value) => flipped(value, 3));
    await assert.rejects(from.receipt(id, 0), /damaged/);
  });
});

test('an unreadable row is set aside as a file with its bytes, once', async (t) => {
  const { data, store } = opened(t);
  const rows = [fresh(1), fresh(1)].map((frame) => ({ key: freshKey(frame), frame }));
  await store.write(() => {
    for (const { key, frame } of rows) store.frames.put(key, Buffer.from(`strange ${frame.id}`));
  });
  const unreadable = new LocalUnreadable(store);
  const [one] = await listed(store);
  const moved = [];
  for await (const done of unreadable.setAside([one!.id, 'frames-00000000', 'x'])) moved.push(done);
  assert.equal(moved.length, 1);
  const content = readFileSync(moved[0]!.path, 'utf8');
  assert.match(content, /^\{.*"from":"table frames, key [0-9a-f]+".*\}\nstrange /);
  assert.deepEqual(
    (await listed(store)).map(({ place }) => place),
    ['journal', 'file'],
  );
  for await (const _ of unreadable.setAside(null)) moved.push(_);
  assert.equal(moved.length, 2);
  assert.deepEqual(watchUnreadable(store, () => {}).counts(), { rows: 0, files: 2 });
  assert.ok(moved.every(({ path }) => path.startsWith(join(data, 'damaged'))));
});
