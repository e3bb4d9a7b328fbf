import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { LoggedFrames } from '../../src/journal/local/logged-frames.js';
import { markSegmentsFull } from '../../src/journal/local/segment-files.js';
import { SegmentReader } from '../../src/journal/local/segment-reader.js';
import { LocalSource } from '../../src/journal/local/source.js';
import { LocalUnreadable } from '../../src/journal/local/unreadable.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { recordSettled } from '../../src/journal/store/receipt-rows.js';
import type { Frame } from '../../src/model/frame.js';
import { crashed } from './damaged-segments.js';
import { fresh, NOTHING, newFrameId, take, takeFor, until } from './frames.js';
import { ids, inTables, logged, openLog, row, tempJournal } from './temp-journal.js';

/** The frames of such a journal, as the log knows them. */
async function knownIn(t: TestContext, ...frames: readonly Frame[]) {
  const { data, store, log } = await logged(t, ...frames);
  const inLog = new LoggedFrames(
    store,
    (writes) => store.write(writes),
    () => {},
  );
  t.after(() => inLog.close());
  inLog.read();
  const known = frames.map(({ id }) => inLog.frames.get(id)!);
  return { data, store, log, inLog, known };
}

function sourceOn(t: TestContext, data: string): LocalSource {
  const parts = { newFrameId, acceptedOrders: () => 0, retryMsMax: 60_000, log: () => {} };
  const source = new LocalSource(new LocalStore(data), parts);
  t.after(() => source.close());
  return source;
}

/** After a kill. */
function again(t: TestContext, data: string): LocalSource {
  const copy = crashed(t, data);
  markSegmentsFull(copy);
  return sourceOn(t, copy);
}

describe('frames that leave the log without being settled', () => {
  test('are not found by a start, also those behind one that was claimed meanwhile', async (t) => {
    const frames = [fresh(1), fresh(2), fresh(3)];
    const { data, store, inLog, known } = await knownIn(t, ...frames);
    const [first, claimed, last] = known;
    inLog.claim(claimed!);
    inLog.discard(last!);
    inLog.discard(first!);
    await inLog.tidy('due');
    const { id, count } = claimed!;
    await store.write(() =>
      recordSettled(store, { id, count, refiled: [], dead: [], doneAfterRetry: [] }),
    );
    inLog.settled(claimed!);
    await inLog.tidy('due');
    const source = again(t, data);
    await source.counted;
    assert.equal(source.pendingOrders(), 0);
    assert.deepEqual(await takeFor(source, 50), []);
  });

  test('are passed at once, if one is the first of its segment', async (t) => {
    const { data, inLog, known } = await knownIn(t, fresh(1));
    inLog.discard(known[0]!);
    await inLog.tidy('due');
    assert.equal(inLog.keptFrom(), null);
    assert.deepEqual(await takeFor(again(t, data), 50), []);
  });

  test('make room in memory for those that come', async (t) => {
    // More than is kept in memory.
    const frames = Array.from({ length: 6 }, () => fresh(14_000));
    const { store, log, inLog, known } = await knownIn(t, ...frames);
    assert.ok(known.some(({ value }) => value === null));
    await inLog.tidy('all');
    assert.deepEqual(inTables(store), ids(frames));
    const next = fresh(14_000);
    await log.prepared();
    await log.append(row(next));
    inLog.read();
    assert.notEqual(inLog.frames.get(next.id)!.value, null);
  });

  test('are no fault any more, if one could not be read', async (t) => {
    const { inLog, known } = await knownIn(t, fresh(1));
    inLog.claim(known[0]!);
    const failing = t.mock.method(SegmentReader.prototype, 'bytesAt', () => assert.fail('EIO'));
    assert.throws(() => inLog.valueOf(known[0]!), /EIO/);
    failing.mock.restore();
    assert.match(inLog.fault, /EIO/);
    inLog.settled(known[0]!);
    assert.equal(inLog.fault, '');
  });
});

test('a frame of the log that nothing can decode is out of the way, also when its row was set aside', async (t) => {
  const [strange, whole] = [fresh(2), fresh(3)];
  const { data, store } = tempJournal(t);
  const log = await openLog(data);
  t.after(() => log.close());
  // As of a later version: the checksum of its record is right.
  await log.append({ ...row(strange), header: Buffer.from('{"v":1000}\n') });
  const source = sourceOn(t, data);
  await source.counted;
  assert.equal(source.pendingOrders(), 2);
  const pulling = take(source, 1);
  const moved = () => {
    store.refresh();
    return (store.unreadable.getStats() as { entryCount: number }).entryCount;
  };
  await until(() => moved() === 1, 'its row was moved');
  await until(() => source.keptFrom() === null, 'the tables know that nothing in the log counts');
  assert.equal(source.pendingOrders(), 0);
  assert.equal(source.oldestAcceptedAtMs(), 0);
  assert.equal(await source.receipt(strange.id, 1), 'accepted');
  await log.append(row(whole));
  const [delivery] = await pulling;
  assert.equal(delivery!.frame.id, whole.id);
  await delivery!.settle(NOTHING);
  for await (const _ of new LocalUnreadable(store).setAside(null));
  assert.equal(moved(), 0);
  const after = again(t, data);
  await after.counted;
  assert.equal(after.pendingOrders(), 0);
  assert.deepEqual(await takeFor(after, 50), []);
});
