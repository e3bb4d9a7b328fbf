import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { LocalAppender } from '../../src/journal/local/appender.js';
import { markSegmentsFull } from '../../src/journal/local/segment-files.js';
import { LocalSource } from '../../src/journal/local/source.js';
import { freshKey } from '../../src/journal/store/frame-rows.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { recordForwarded, recordSettled } from '../../src/journal/store/receipt-rows.js';
import { movedKey } from '../../src/journal/store/unreadable-rows.js';
import type { Frame } from '../../src/model/frame.js';
import { crashed } from './damaged-segments.js';
import { fresh, NOTHING, newFrameId, plain, take, takeFor, until } from './frames.js';
import { ids, inTables, noLog, openLog, row, tempJournal } from './temp-journal.js';

function sourceOn(store: LocalStore): LocalSource {
  const parts = { newFrameId, acceptedOrders: () => 0, retryMsMax: 60_000, log: noLog };
  return new LocalSource(store, parts);
}

/** Writes of the store wait until `open` is called. */
function gated(t: TestContext, store: LocalStore): { asked: () => number; open: () => void } {
  const write = store.write.bind(store);
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const mock = t.mock.method(store, 'write', async (writes: () => void) => {
    await opened;
    return write(writes);
  });
  return { asked: () => mock.mock.callCount(), open };
}

async function intoLog(data: string, frame: Frame): Promise<void> {
  const log = await openLog(data);
  await log.append(row(frame));
  await log.close();
}

async function intoTables(data: string, frame: Frame): Promise<void> {
  const appender = new LocalAppender(new LocalStore(data));
  await appender.commit(frame);
  await appender.close();
}

describe('a frame whose settlement is not durable yet', () => {
  for (const [where, commit] of [
    ['log', intoLog],
    ['tables', intoTables],
  ] as const) {
    test(`is still accepted, is not delivered again, and comes back after a crash: in the ${where}`, async (t) => {
      const { data } = tempJournal(t);
      const frame = fresh(2);
      await commit(data, frame);
      const store = new LocalStore(data);
      const source = sourceOn(store);
      const [delivery] = await take(source, 1);
      const { asked, open } = gated(t, store);
      const settling = delivery!.settle(NOTHING);
      await until(() => asked() > 0, 'the settlement is under way');
      assert.equal(await source.receipt(frame.id, 0), 'accepted');
      assert.deepEqual(await takeFor(source, 300), []);
      const copy = crashed(t, data);
      markSegmentsFull(copy);
      const again = sourceOn(new LocalStore(copy));
      const [second] = await take(again, 1);
      assert.deepEqual(plain(second!.frame), plain(frame));
      await again.close();
      // A journal that closes waits for what is under way.
      const closing = source.close();
      open();
      await Promise.all([settling, closing]);
      const after = sourceOn(new LocalStore(data));
      assert.equal(await after.receipt(frame.id, 0), 'done');
      assert.deepEqual(await takeFor(after, 50), []);
      await after.close();
    });
  }
});

test('a claimed frame does not move into the tables, whatever else does', async (t) => {
  const { data, store } = tempJournal(t);
  const [claimed, waiting] = [fresh(1), fresh(1)];
  for (const frame of [claimed, waiting]) await intoLog(data, frame);
  const source = sourceOn(new LocalStore(data));
  const [delivery] = await take(source, 1);
  assert.equal(delivery!.frame.id, claimed.id);
  // At a stop, what waits moves.
  await source.close();
  assert.deepEqual(inTables(store), ids([waiting]));
});

describe('a start does not deliver a frame of the log', () => {
  const tables: Readonly<Record<string, (store: LocalStore, frame: Frame) => void>> = {
    'that was settled': (store, { id, count }) =>
      recordSettled(store, { id, count, refiled: [], dead: [], doneAfterRetry: [] }),
    'that another journal has': recordForwarded,
    'that cannot be read and was moved': (store, frame) =>
      void store.unreadable.put(movedKey('frames', freshKey(frame)), Buffer.from('unreadable')),
  };
  for (const [which, put] of Object.entries(tables)) {
    test(which, async (t) => {
      const { data, store } = tempJournal(t);
      const [known, other] = [fresh(1), fresh(1)];
      for (const frame of [known, other]) await intoLog(data, frame);
      await store.write(() => put(store, known));
      const source = sourceOn(new LocalStore(data));
      assert.deepEqual(ids((await take(source, 1)).map(({ frame }) => frame)), [other.id]);
      assert.deepEqual(await takeFor(source, 50), []);
      await source.close();
    });
  }

  test('a second time, if the tables have it', async (t) => {
    const { data, store } = tempJournal(t);
    const frame = fresh(1);
    await intoLog(data, frame);
    await intoTables(data, frame);
    const source = sourceOn(new LocalStore(data));
    const [delivery] = await take(source, 1);
    await delivery!.settle(NOTHING);
    assert.deepEqual(await takeFor(source, 300), []);
    await source.close();
    assert.deepEqual(inTables(store), []);
  });
});
