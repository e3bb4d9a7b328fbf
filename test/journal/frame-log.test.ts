import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { recordHead } from '../../src/journal/frame/log-record.js';
import { LocalAppender } from '../../src/journal/local/appender.js';
import {
  listSegments,
  logFolder,
  SEGMENT_BYTES,
  segmentPath,
} from '../../src/journal/local/segment-files.js';
import { decodeFresh, freshKey } from '../../src/journal/store/frame-rows.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import type { Frame } from '../../src/model/frame.js';
import { CommitAmbiguous } from '../../src/model/journal.js';
import { HANG_MS_MAX } from '../support/deadline.js';
import { fresh, plain, until } from './frames.js';
import {
  ids,
  inTables,
  LogMover,
  noLog,
  openLog,
  row,
  seenInLog,
  states,
  tempJournal,
} from './temp-journal.js';

const PAGE_BYTES = 4096;

describe('the log of frames', () => {
  test('appended frames are copied into the tables unchanged, once', async (t) => {
    const { data, store, mover } = tempJournal(t);
    const log = await openLog(data);
    const frames = [fresh(1), fresh(300), fresh(7)];
    await Promise.all(frames.map((frame) => log.append(row(frame))));
    assert.equal(await mover.run(), true);
    assert.deepEqual(inTables(store), ids(frames));
    for (const frame of frames) {
      assert.deepEqual(
        plain(decodeFresh(freshKey(frame), store.frames.getBinary(freshKey(frame))!)),
        plain(frame),
      );
    }
    await store.write(() => {
      for (const frame of frames) store.frames.remove(freshKey(frame));
    });
    assert.equal(await mover.run(), false);
    await log.close();
    await mover.run();
    assert.deepEqual(inTables(store), []);
  });

  test('idempotency keys are copied into their table with their frame', async (t) => {
    const { data, store, mover } = tempJournal(t);
    const log = await openLog(data);
    const keys = [{ position: 0, key: 'a key', digest: 'a digest' }];
    const frame = { ...fresh(2), keys } as unknown as Frame;
    await log.append(row(frame));
    await mover.run();
    assert.ok(store.keys.doesExist(Buffer.from(frame.id, 'latin1')));
    await log.close();
  });

  test('segments are reused, and their earlier records are not found again', async (t) => {
    const { data, store, mover } = tempJournal(t);
    const log = await openLog(data);
    const found = new Set<string>();
    const perSegment = SEGMENT_BYTES / PAGE_BYTES;
    const frames = 3 * perSegment;
    let elsewhere = 0;
    for (let i = 0; i < frames; i += 64) {
      const some = Array.from({ length: 64 }, () => fresh(1));
      await Promise.all(
        some.map((frame) => {
          const appended = log.append(row(frame));
          if (appended === null) elsewhere++;
          return appended;
        }),
      );
      await mover.run();
      const moved = inTables(store);
      for (const id of moved) assert.ok(!found.has(id), `${id} a second time`);
      for (const id of moved) found.add(id);
      await store.write(() => {
        for (const key of store.frames.getKeys()) store.frames.remove(Buffer.from(key));
      });
      await log.prepared();
    }
    assert.equal(found.size, frames - elsewhere);
    assert.ok(listSegments(logFolder(data)).length <= 3);
    await log.close();
    await mover.run();
    assert.deepEqual(
      states(data).filter((state) => state !== 'free'),
      [],
    );
  });

  test('without space for a segment, or for a very long frame, frames go to the tables', async (t) => {
    const { data, store } = tempJournal(t);
    const log = await openLog(data, false);
    assert.equal(log.append(row(fresh(1))), null);
    assert.ok(!existsSync(logFolder(data)));
    const appender = new LocalAppender(new LocalStore(data), log);
    const frame = fresh(3);
    await appender.commit(frame);
    assert.deepEqual(inTables(store), [frame.id]);
    await appender.close();
    const roomy = await openLog(data);
    const payload = Buffer.alloc(SEGMENT_BYTES);
    assert.equal(roomy.append({ ...row(fresh(1)), payload }), null);
    await roomy.close();
  });

  test('a deleted segment is not written any more', async (t) => {
    const { data, mover } = tempJournal(t);
    const log = await openLog(data);
    await log.append(row(fresh(1)));
    rmSync(logFolder(data), { recursive: true });
    const untilMs = Date.now() + HANG_MS_MAX;
    while (log.append(row(fresh(1))) !== null && Date.now() < untilMs) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.ok(Date.now() < untilMs);
    await log.close();
    await mover.run();
  });

  test('after a failed write the commit is ambiguous, the segment is not reused, and frames go to the tables', async (t) => {
    const { data, store, mover } = tempJournal(t);
    mkdirSync(logFolder(data));
    const opened = new LocalStore(data);
    // A device that takes no writes, in place of a free segment. A store would not be opened with it.
    symlinkSync('/dev/full', join(logFolder(data), 'a.free'));
    const log = await openLog(data, false);
    const appender = new LocalAppender(opened, log);
    await assert.rejects(appender.commit(fresh(1)), CommitAmbiguous);
    assert.deepEqual(states(data), ['broken']);
    await until(() => appender.writable, 'writable again');
    const frame = fresh(1);
    await appender.commit(frame);
    assert.deepEqual(inTables(store), [frame.id]);
    await mover.run();
    assert.deepEqual(states(data), []);
    await appender.close();
  });

  test('frames that arrive during a move do not delay callers that wait for earlier ones', async (t) => {
    const { data, store } = tempJournal(t);
    const log = await openLog(data);
    let comesIn = 20;
    // Under load there is a new frame whenever a transaction ends.
    const mover = new LogMover(
      store,
      async (writes) => {
        await store.write(writes);
        if (comesIn-- > 0) await log.append(row(fresh(1)));
      },
      noLog,
    );
    t.after(() => mover.close());
    await log.append(row(fresh(1)));
    assert.equal(await mover.run(), true);
    assert.equal(comesIn, 19);
    assert.equal(inTables(store).length, 1);
    await log.close();
    // A full segment is read to its end and freed by the same call.
    assert.equal(await mover.run(), true);
    assert.equal(inTables(store).length, 2);
    assert.deepEqual(states(data), ['free', 'free']);
  });

  test('a log that cannot be read is reported, not skipped', async (t) => {
    const { data, mover } = tempJournal(t);
    mkdirSync(join(logFolder(data), 'a.full'), { recursive: true });
    await assert.rejects(mover.run(), /EISDIR/);
  });

  test('on a full disk no free segments are kept', async (t) => {
    const { data, store } = tempJournal(t);
    const log = await openLog(data);
    const frame = fresh(1);
    await log.append(row(frame));
    await log.close();
    const full = new Proxy(store, {
      get(target, name) {
        if (name === 'shortage') return 'disk full';
        const value = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const mover = new LogMover(full, (writes) => store.write(writes), noLog);
    t.after(() => mover.close());
    await mover.run();
    assert.deepEqual(inTables(store), [frame.id]);
    assert.deepEqual(states(data), []);
  });

  test('a start removes the positions of segments that no longer exist', async (t) => {
    const { data, store, mover } = tempJournal(t);
    const log = await openLog(data);
    await log.append(row(fresh(1)));
    await mover.run();
    await log.close();
    const places = () => {
      store.refresh();
      return [...store.meta.getKeys()].filter((key) => `${key}`.startsWith('log/')).length;
    };
    mover.runAtStart();
    assert.equal(places(), 1);
    for (const segment of listSegments(logFolder(data))) {
      rmSync(segmentPath(logFolder(data), segment));
    }
    mover.runAtStart();
    assert.equal(places(), 0);
  });

  test('inspection skips a segment that is renamed at that moment', async (t) => {
    const { data } = tempJournal(t);
    const log = await openLog(data);
    await log.append(row(fresh(3)));
    symlinkSync('gone', join(logFolder(data), 'a.open'));
    assert.deepEqual(
      seenInLog(data).frames.map(({ count }) => count),
      [3],
    );
    rmSync(join(logFolder(data), 'a.open'));
    await log.close();
  });

  test('a segment that cannot be opened is freed', async (t) => {
    const { data } = tempJournal(t);
    mkdirSync(join(logFolder(data), 'a.free'), { recursive: true });
    const log = await openLog(data, false);
    assert.equal(log.append(row(fresh(1))), null);
    assert.deepEqual(states(data), ['free']);
    await log.close();
  });

  test('the head of a record contains everything that is checked', () => {
    const generation = Buffer.from('12345678');
    const frame = row(fresh(1));
    const head = recordHead(frame, generation, PAGE_BYTES);
    const other = recordHead(frame, generation, 2 * PAGE_BYTES);
    assert.equal(head.subarray(0, 4).toString('latin1'), 'FBL1');
    assert.notDeepEqual(head.subarray(4, 8), other.subarray(4, 8));
  });
});
