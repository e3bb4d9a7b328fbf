import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { LoggedFrames } from '../../src/journal/local/logged-frames.js';
import { logFolder, markSegmentsFull, segmentPath } from '../../src/journal/local/segment-files.js';
import { SegmentReader } from '../../src/journal/local/segment-reader.js';
import { LocalSource } from '../../src/journal/local/source.js';
import { WaitingFrames } from '../../src/journal/local/waiting-frames.js';
import { startExpiry } from '../../src/journal/store/expiry.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { recordSettled } from '../../src/journal/store/receipt-rows.js';
import { crashed, flip, recorded, recordOf } from './damaged-segments.js';
import { fresh, NOTHING, newFrameId, plain, take, takeFor, until } from './frames.js';
import { ids, inTables, logged, noLog, openLog, row, states } from './temp-journal.js';

function openSource(t: TestContext, data: string, log = noLog): LocalSource {
  const source = new LocalSource(new LocalStore(data), {
    newFrameId,
    acceptedOrders: () => 0,
    retryMsMax: 60_000,
    lookAheadFrames: 64,
    log,
  });
  t.after(() => source.close());
  return source;
}

/** After a kill. */
function again(t: TestContext, data: string): { copy: string; source: LocalSource } {
  const copy = crashed(t, data);
  markSegmentsFull(copy);
  return { copy, source: openSource(t, copy) };
}

describe('frames in the log', () => {
  test('are delivered and settled without a row of their own', async (t) => {
    const frames = [fresh(3), fresh(200), fresh(1)];
    const { data, store } = await logged(t, ...frames);
    const source = openSource(t, data);
    const taken = await take(source, 3);
    assert.deepEqual(
      taken.map(({ frame }) => plain(frame)),
      frames.map(plain),
    );
    assert.deepEqual(inTables(store), []);
    await taken[1]!.settle(NOTHING);
    store.refresh();
    assert.deepEqual(
      [...store.settled.getKeys()].map((key) => key.toString('latin1')),
      [frames[1]!.id],
    );
    const rest = await take(again(t, data).source, 2);
    assert.deepEqual(
      rest.map(({ frame }) => frame.id),
      [frames[0]!.id, frames[2]!.id],
    );
  });

  test('are not delivered while they move into the tables, and after it if that fails', async (t) => {
    const frames = [fresh(1), fresh(2)];
    const { store, log } = await logged(t, ...frames);
    await log.close();
    let fail = (_: Error) => {};
    const write = () =>
      new Promise<void>((_, reject) => {
        fail = reject;
      });
    const inLog = new LoggedFrames(store, write, noLog);
    t.after(() => inLog.close());
    const waiting = new WaitingFrames(store, inLog);
    const due = () => Array.from(waiting.fresh(), ({ facts }) => facts.id);
    inLog.read();
    assert.deepEqual(due(), ids(frames));
    const moving = inLog.tidy('all');
    assert.deepEqual(due(), []);
    fail(new Error('no space'));
    await assert.rejects(moving, /no space/);
    assert.deepEqual(due(), ids(frames));
  });

  test('and in the tables are delivered in the order of their ids', async (t) => {
    const frames = Array.from({ length: 6 }, () => fresh(1));
    const [second, fifth] = [frames[1]!, frames[4]!];
    // Two threads write out of order.
    const inLog = [frames[2]!, frames[0]!, frames[5]!, frames[3]!];
    const { data, store, log } = await logged(t, second, fifth);
    const mover = new LoggedFrames(store, (writes) => store.write(writes), noLog);
    mover.read();
    await mover.tidy('all');
    mover.close();
    assert.deepEqual(inTables(store), ids([second, fifth]));
    for (const frame of inLog) await log.append(row(frame));
    const taken = await take(openSource(t, data), 6);
    assert.deepEqual(
      taken.map(({ frame }) => frame.id),
      ids(frames),
    );
  });

  test('that are settled are remembered until their segment is free', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const old = fresh(2, `00000000000${newFrameId().slice(11)}`);
    const { data, store, log } = await logged(t, old, fresh(1));
    const source = openSource(t, data);
    t.after(startExpiry(store, { settledS: 0, idempotencyS: 0 }, source.keptFrom));
    const isKnown = async () => {
      t.mock.timers.tick(5000);
      // Waits for the writes of the round.
      await store.write(() => store.meta.put(Buffer.from('round'), Buffer.from('1')));
      store.refresh();
      return store.settled.doesExist(Buffer.from(old.id, 'latin1'));
    };
    const [first, second] = await take(source, 2);
    await first!.settle(NOTHING);
    await store.write(() => {
      // As if it was settled long ago.
      const key = Buffer.from(old.id, 'latin1');
      store.settled.put(key, Buffer.alloc(8));
    });
    assert.equal(await isKnown(), true);
    assert.equal(await isKnown(), true);
    const { source: restarted } = again(t, data);
    assert.equal((await take(restarted, 1))[0]!.frame.id, second!.frame.id);
    assert.equal(restarted.keptFrom(), old.id, 'another start needs it too');
    await second!.settle(NOTHING);
    await log.close();
    await source.close();
    assert.deepEqual(
      states(data).filter((state) => state !== 'free'),
      [],
    );
    assert.equal(await isKnown(), false);
  });

  test('that were damaged after they were read are set aside, and those in memory delivered', async (t) => {
    // More than is kept in memory.
    const frames = Array.from({ length: 6 }, () => fresh(14_000));
    const { data } = await logged(t, ...frames);
    const events: string[] = [];
    const source = openSource(t, data, (event) => events.push(event));
    for (const frame of frames) {
      const { path, at } = recordOf(data, frame);
      flip(path, at + 2000);
    }
    const taken = await source.pull(10, AbortSignal.timeout(60_000));
    const delivered = taken.map(({ frame }) => frame.id);
    // Which segment is read first is chance.
    assert.ok(delivered.length > 0 && delivered.length < 6, `${delivered.length} are in memory`);
    assert.deepEqual(
      taken.map(({ frame }) => plain(frame)),
      frames.filter(({ id }) => delivered.includes(id)).map(plain),
    );
    for (const delivery of taken) await delivery.settle(NOTHING);
    assert.deepEqual(await source.pull(1, AbortSignal.timeout(300)), []);
    assert.deepEqual(events, Array(6 - delivered.length).fill('log-damaged'));
  });

  test('that are claimed stay in the log, and those before them move', async (t) => {
    const frames = [fresh(1), fresh(1), fresh(1)];
    const { store } = await logged(t, ...frames);
    const log = new LoggedFrames(store, (writes) => store.write(writes), noLog);
    t.after(() => log.close());
    log.read();
    const claimed = log.frames.get(frames[1]!.id)!;
    log.claim(claimed);
    await log.tidy('all');
    assert.deepEqual(inTables(store), ids([frames[0]!]));
    assert.ok(log.keptFrom()! <= claimed.id, 'what settles the rest is kept');
    log.release(claimed);
    await log.tidy('all');
    assert.deepEqual(inTables(store), ids(frames));
    assert.equal(log.frames.size, 0);
    assert.equal(log.keptFrom(), null);
  });

  test('that could not be moved are moved later', async (t) => {
    const frame = fresh(1);
    const { store } = await logged(t, frame);
    let isFull = true;
    const write = (writes: () => void) =>
      isFull ? Promise.reject(new Error('disk full')) : store.write(writes);
    const log = new LoggedFrames(store, write, noLog);
    t.after(() => log.close());
    log.read();
    await assert.rejects(log.tidy('all'), /disk full/);
    assert.equal(log.frames.get(frame.id)!.state, 'waiting');
    isFull = false;
    await log.tidy('all');
    assert.deepEqual(inTables(store), [frame.id]);
  });

  test('that cannot be read for a moment are read again later', async (t) => {
    const frames = [fresh(1), fresh(1)];
    const { data } = await logged(t, ...frames);
    const events: string[] = [];
    const source = openSource(t, data, (event) => events.push(event));
    // After that, no value of them is in memory.
    for (const delivery of await take(source, 2)) delivery.release();
    const { at } = recordOf(data, frames[0]!);
    const { bytesAt } = SegmentReader.prototype;
    const failing = t.mock.method(
      SegmentReader.prototype,
      'bytesAt',
      function (this: SegmentReader, position: number, length: number) {
        if (position === at) throw new Error('EIO: i/o error, read');
        return bytesAt.call(this, position, length);
      },
    );
    const [second] = await take(source, 1);
    assert.equal(second!.frame.id, frames[1]!.id);
    assert.match(source.reason, new RegExp(`${frames[0]!.id}.*EIO`));
    failing.mock.restore();
    const [first] = await take(source, 1);
    assert.deepEqual(plain(first!.frame), plain(frames[0]!));
    assert.equal(source.reason, '');
    assert.deepEqual(events, ['frame-unreadable']);
  });

  test('that are damaged are set aside when the disk takes files again', async (t) => {
    const frame = fresh(1);
    const { data } = await logged(t, frame);
    const events: string[] = [];
    const source = openSource(t, data, (event) => events.push(event));
    for (const delivery of await take(source, 1)) delivery.release();
    const { path, at } = recordOf(data, frame);
    flip(path, at + 200);
    writeFileSync(join(data, 'damaged'), '');
    assert.deepEqual(await takeFor(source, 50), []);
    assert.match(source.reason, /damaged/);
    rmSync(join(data, 'damaged'));
    const ending = new AbortController();
    const pulled = source.pull(1, ending.signal);
    await until(() => recorded(data).length === 1, 'it is set aside');
    ending.abort();
    assert.deepEqual(await pulled, []);
    assert.equal(source.reason, '');
    assert.deepEqual(events, ['frame-unreadable', 'log-damaged']);
  });

  test('are found although other segments cannot be read', async (t) => {
    const frame = fresh(1);
    const { data } = await logged(t, fresh(1));
    const source = openSource(t, data);
    await take(source, 1);
    // Of four, some come first in the listing: reading a folder as a file fails.
    for (const id of ['0', '5', 'a', 'f']) {
      mkdirSync(segmentPath(logFolder(data), { id, state: 'full' }));
    }
    const log = await openLog(data);
    await log.append(row(frame));
    assert.deepEqual(ids((await take(source, 1)).map((found) => found.frame)), [frame.id]);
    assert.match(source.reason, /EISDIR/);
    await log.close();
  });

  test('of which the row in `settled` has a damaged key do not come back', async (t) => {
    const frames = [fresh(2), fresh(2)];
    const { data, store } = await logged(t, ...frames);
    const key = Buffer.from(frames[0]!.id, 'latin1');
    await store.write(() =>
      recordSettled(store, {
        id: frames[0]!.id,
        count: 2,
        refiled: [],
        dead: [],
        doneAfterRetry: [],
      }),
    );
    const value = Buffer.from(store.settled.getBinary(key)!);
    const damaged = Buffer.from(key);
    damaged[20]! ^= 1;
    await store.write(() => {
      store.settled.remove(key);
      store.settled.put(damaged, value);
    });
    const copy = crashed(t, data);
    markSegmentsFull(copy);
    const events: string[] = [];
    const source = openSource(t, copy, (event) => events.push(event));
    assert.deepEqual(events, ['log-damaged']);
    const [delivery] = await take(source, 1);
    assert.equal(delivery!.frame.id, frames[1]!.id);
    assert.equal(await source.receipt(frames[0]!.id, 1), 'done');
    await source.close();
    assert.deepEqual(
      await take(openSource(t, copy), 1).then(([one]) => one!.frame.id),
      frames[1]!.id,
    );
  });

  test('have their idempotency keys known at a start, and later in a row', async (t) => {
    const keys = [{ position: 1, key: 'a key', digest: '0123456789abcdef' }];
    const frame = { ...fresh(2), keys };
    const { data, store } = await logged(t, frame);
    const { source } = again(t, data);
    const known = [{ ...keys[0]!, frameId: frame.id, acceptedAtMs: frame.acceptedAtMs }];
    assert.deepEqual([...source.keys(0)], known);
    const here = openSource(t, data);
    const [delivery] = await take(here, 1);
    await delivery!.settle(NOTHING);
    store.refresh();
    assert.ok(store.keys.doesExist(Buffer.from(frame.id, 'latin1')));
    assert.deepEqual([...here.keys(0)], known);
  });
});
