import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { recordHead } from '../../src/journal/frame/log-record.js';
import {
  listSegments,
  logFolder,
  markSegmentsFull,
  SEGMENT_BYTES,
  segmentPath,
} from '../../src/journal/local/segment-files.js';
import { freshKey } from '../../src/journal/store/frame-rows.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import type { Frame } from '../../src/model/frame.js';
import { HANG_MS_MAX } from '../support/deadline.js';
import { crashed, flip, overwrite, recorded, recordOf, recovered } from './damaged-segments.js';
import { fresh } from './frames.js';
import { ids, inTables, LogMover, openLog, row, seenInLog, tempJournal } from './temp-journal.js';

/** A byte of each part of a record. */
const PARTS: Readonly<Record<string, number>> = {
  magic: 0,
  crc: 5,
  'generation, its time': 10,
  'generation, its random part': 15,
  position: 17,
  'length of the key': 20,
  flags: 22,
  'length of the value': 25,
  key: 35,
  header: 90,
  value: 300,
};

/** Bits: a length becomes shorter, longer or absurd. */
const MASKS = [0x01, 0x10, 0x80];

/** Frames of one or more pages, each appended when the one before is durable. */
async function written(t: TestContext, counts: readonly number[]) {
  const { data } = tempJournal(t);
  const log = await openLog(data);
  const frames = counts.map((count) => fresh(count));
  for (const frame of frames) await log.append(row(frame));
  t.after(() => log.close());
  return { data, frames };
}

function without(frames: readonly Frame[], ...lost: readonly Frame[]): string[] {
  return ids(frames.filter((frame) => !lost.includes(frame)));
}

describe('a damaged record of the frame log', () => {
  for (const [part, at] of Object.entries(PARTS)) {
    test(`is set aside, and the others are recovered: ${part}`, async (t) => {
      const { data, frames } = await written(t, [5, 200, 7, 150, 4]);
      for (const damaged of [frames[0]!, frames[1]!, frames[2]!, frames[4]!]) {
        for (const mask of part.startsWith('length') ? MASKS : [1]) {
          const copy = crashed(t, data);
          const record = recordOf(copy, damaged);
          flip(record.path, record.at + at, mask);
          assert.equal(seenInLog(copy).damaged, 1, 'as forebay check says');
          const found = await recovered(copy);
          assert.deepEqual(found.ids, without(frames, damaged), `frame ${damaged.count}, ${mask}`);
          assert.deepEqual(found.events, ['log-damaged'], `frame ${damaged.count}, ${mask}`);
          assert.deepEqual(
            found.setAside.map(({ kind }) => kind),
            ['damaged'],
          );
          const again = await recovered(copy);
          assert.deepEqual(again, { ...found, events: [] });
        }
      }
    });
  }

  test('its bytes are in the file, behind a line that says what they are', async (t) => {
    const { data, frames } = await written(t, [3, 3, 3]);
    const copy = crashed(t, data);
    const { path, at } = recordOf(copy, frames[1]!);
    flip(path, at + 200);
    const bytes = readFileSync(path).subarray(at, at + 4096);
    const { setAside } = await recovered(copy);
    assert.equal(setAside[0]!.name, frames[1]!.id);
    const [file] = recorded(copy);
    const content = readFileSync(file!);
    const lineEnd = content.indexOf('\n');
    const facts = JSON.parse(content.toString('utf8', 0, lineEnd));
    assert.deepEqual(Object.keys(facts).sort(), ['from', 'name', 'reason', 'what']);
    assert.deepEqual(content.subarray(lineEnd + 1), bytes);
  });

  test('several are set aside one by one, next to each other or not', async (t) => {
    const { data, frames } = await written(t, [1, 2, 3, 4, 5, 6, 7, 8]);
    const copy = crashed(t, data);
    const lost = [0, 2, 3, 5, 7].map((i) => frames[i]!);
    for (const frame of lost) {
      const { path, at } = recordOf(copy, frame);
      flip(path, at + 100);
    }
    const found = await recovered(copy);
    assert.deepEqual(found.ids, without(frames, ...lost));
    assert.deepEqual(
      found.setAside.map(({ name, kind }) => `${name} ${kind}`).sort(),
      lost.map(({ id }) => `${id} damaged`).sort(),
    );
  });

  test('is found by what lies behind it although whole pages were overwritten', async (t) => {
    const { data, frames } = await written(t, [1, 200, 3, 4]);
    for (const fill of [0x00, 0xff]) {
      for (const damaged of [frames[0]!, frames[1]!, frames[2]!]) {
        const copy = crashed(t, data);
        const { path, at } = recordOf(copy, damaged);
        overwrite(path, at, Buffer.alloc(4096, fill));
        const found = await recovered(copy);
        assert.deepEqual(found.ids, without(frames, damaged), `${fill}`);
        assert.deepEqual(found.events, ['log-damaged']);
      }
    }
  });

  test('in a reused segment no record of an earlier use is found', async (t) => {
    const { data, store, mover } = tempJournal(t);
    let log = await openLog(data);
    for (let i = 0; i < 20; i++) await log.append(row(fresh(100)));
    await log.close();
    await mover.run();
    await store.write(() => {
      for (const key of store.frames.getKeys()) store.frames.remove(Buffer.from(key));
    });
    // The next segment is taken first.
    for (let i = 0; i < 2; i++) {
      log = await openLog(data);
      if (i === 0) await log.close();
    }
    const frames = [fresh(1), fresh(1), fresh(1)];
    for (const frame of frames) await log.append(row(frame));
    await log.close();
    for (const damaged of frames) {
      for (const at of [0, 5, 12, 17, 25, 100]) {
        const copy = crashed(t, data);
        const record = recordOf(copy, damaged);
        flip(record.path, record.at + at);
        const found = await recovered(copy);
        assert.deepEqual(found.ids, without(frames, damaged), `byte ${at}`);
        assert.equal(found.setAside.length, 1, `byte ${at}`);
      }
    }
  });

  test('what was copied and settled does not come back when its position is damaged', async (t) => {
    const { data, store, mover } = tempJournal(t);
    const log = await openLog(data);
    const [settled, waiting, later] = [fresh(1), fresh(1), fresh(1)];
    for (const frame of [settled, waiting]) await log.append(row(frame));
    await mover.run();
    await store.write(() => {
      store.frames.remove(freshKey(settled));
      store.settled.put(Buffer.from(settled.id), Buffer.alloc(8));
      for (const key of store.meta.getKeys()) {
        if (!key.toString('latin1').startsWith('log/')) continue;
        const value = Buffer.from(store.meta.getBinary(Buffer.from(key))!);
        value[10]! ^= 1;
        store.meta.put(Buffer.from(key), value);
      }
    });
    await log.append(row(later));
    await log.close();
    const found = await recovered(crashed(t, data));
    assert.deepEqual(found.ids, ids([waiting, later]));
    assert.deepEqual(found.events, ['log-damaged']);
  });
});

describe('setting a damaged record aside', () => {
  test('loses and doubles nothing when the process ends before the transaction', async (t) => {
    const { data, frames } = await written(t, [1, 1, 1]);
    const copy = crashed(t, data);
    const { path, at } = recordOf(copy, frames[1]!);
    flip(path, at + 100);
    const store = new LocalStore(copy);
    markSegmentsFull(copy);
    const transact = t.mock.method(store, 'transact', () => {
      throw new Error('killed');
    });
    const mover = new LogMover(
      store,
      (writes) => store.write(writes),
      () => {},
    );
    assert.throws(() => mover.runAtStart(), /killed/);
    assert.equal(transact.mock.callCount(), 1);
    mover.close();
    await store.close();
    assert.equal(recorded(copy).length, 1);
    const found = await recovered(copy);
    assert.deepEqual(found.ids, without(frames, frames[1]!));
    assert.equal(found.setAside.length, 1);
  });

  test('fails the start when it cannot be written, and the record stays', async (t) => {
    const { data, frames } = await written(t, [1, 1, 1]);
    const copy = crashed(t, data);
    const { path, at } = recordOf(copy, frames[1]!);
    flip(path, at + 100);
    writeFileSync(join(copy, 'damaged'), '');
    await assert.rejects(recovered(copy), /damaged/);
    rmSync(join(copy, 'damaged'));
    assert.deepEqual((await recovered(copy)).ids, without(frames, frames[1]!));
  });

  test('happens while the segment is written to, as soon as a later record proves it', async (t) => {
    const { data, store } = tempJournal(t);
    const log = await openLog(data);
    const events: string[] = [];
    const mover = new LogMover(
      store,
      (writes) => store.write(writes),
      (event) => events.push(event),
    );
    const frames = [fresh(1), fresh(100), fresh(1)];
    await log.append(row(frames[0]!));
    await log.append(row(frames[1]!));
    const { path, at } = recordOf(data, frames[1]!);
    flip(path, at + 2000);
    await mover.run();
    assert.deepEqual(inTables(store), [frames[0]!.id]);
    await log.append(row(frames[2]!));
    const deadlineMs = Date.now() + HANG_MS_MAX;
    while (inTables(store).length < 2 && Date.now() < deadlineMs) {
      await mover.run();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.deepEqual(inTables(store), without(frames, frames[1]!));
    assert.deepEqual(events, ['log-damaged']);
    const last = fresh(1);
    await log.append(row(last));
    await log.close();
    await mover.run();
    assert.deepEqual(inTables(store), ids([frames[0]!, frames[2]!, last]));
    assert.deepEqual(events, ['log-damaged']);
    assert.equal(recorded(data).length, 1);
    mover.close();
  });
});

describe('a segment of a version whose records say nothing about others', () => {
  const oldSegment = (frames: readonly Frame[]) => {
    const bytes = Buffer.alloc(SEGMENT_BYTES);
    const generation = Buffer.from('f1e2d3c4b5a69788', 'hex');
    frames.forEach((frame, i) => {
      const one = row(frame);
      Buffer.concat([recordHead(one, generation, i * 4096), one.payload]).copy(bytes, i * 4096);
    });
    return bytes;
  };

  test('is read, and a damaged record does not hide the others', async (t) => {
    const { data } = await written(t, [1]);
    const frames = [fresh(1), fresh(2), fresh(3)];
    for (const damaged of [null, ...frames]) {
      const copy = crashed(t, data);
      rmSync(logFolder(copy), { recursive: true });
      mkdirSync(logFolder(copy));
      const path = join(logFolder(copy), 'old.open');
      writeFileSync(path, oldSegment(frames));
      if (damaged !== null) flip(path, frames.indexOf(damaged) * 4096 + 150);
      const found = await recovered(copy);
      assert.deepEqual(found.ids, ids(frames.filter((frame) => frame !== damaged)));
      assert.deepEqual(
        found.setAside.map(({ kind }) => kind),
        damaged === null ? [] : ['torn'],
      );
      assert.deepEqual(found.events, damaged === null ? [] : ['log-torn']);
    }
  });
});

describe('an incomplete record at the end of a segment', () => {
  test('is no damage where its write was interrupted, at every sector', async (t) => {
    const { data, frames } = await written(t, [2, 100]);
    const last = frames[1]!;
    const { at, path } = recordOf(data, last);
    const bytes = readFileSync(path).subarray(at);
    let length = bytes.length;
    while (bytes[length - 1] === 0) length--;
    for (let cut = 512; cut < length; cut += 512) {
      const copy = crashed(t, data);
      const torn = recordOf(copy, last);
      overwrite(torn.path, torn.at + cut, Buffer.alloc(length - cut));
      const found = await recovered(copy);
      assert.deepEqual(found.ids, [frames[0]!.id], `${cut}`);
      assert.deepEqual(found.setAside, [], `${cut}`);
      assert.deepEqual(found.events, ['log-torn'], `${cut}`);
    }
  });

  test('does not hide complete records whose writes were in progress too', async (t) => {
    const { data } = tempJournal(t);
    const log = await openLog(data);
    const frames = [fresh(100), fresh(100), fresh(100)];
    // All at once: none says that another is durable.
    await Promise.all(frames.map((frame) => log.append(row(frame))));
    await log.close();
    for (const torn of frames) {
      const copy = crashed(t, data);
      const record = recordOf(copy, torn);
      overwrite(record.path, record.at + 1024, Buffer.alloc(2048));
      const found = await recovered(copy);
      assert.deepEqual(found.ids, without(frames, torn));
      assert.deepEqual(found.setAside, []);
      assert.deepEqual(found.events, ['log-torn']);
    }
  });
});

describe('a segment file', () => {
  test('that was cut is reported, and what is left of it recovered', async (t) => {
    const { data, frames } = await written(t, [1, 1, 100, 1]);
    for (const [size, left] of [
      [0, 0],
      [17, 0],
      [4096, 1],
      [5000, 2],
      [8192, 2],
      [8192 + 512, 2],
      [SEGMENT_BYTES - 1, 4],
    ] as const) {
      const copy = crashed(t, data);
      truncateSync(recordOf(copy, frames[0]!).path, size);
      const found = await recovered(copy);
      assert.deepEqual(found.ids, ids(frames.slice(0, left)), `${size}`);
      assert.ok(found.events.includes('log-damaged'), `${size}`);
      assert.ok(found.setAside.some(({ kind }) => kind === 'damaged'));
      assert.deepEqual(await recovered(copy), { ...found, events: [] });
    }
  });

  test('of a stranger is set aside', async (t) => {
    const { data, frames } = await written(t, [1]);
    for (const content of ['hello\n', Buffer.alloc(SEGMENT_BYTES, 'garbage '), '']) {
      const copy = crashed(t, data);
      writeFileSync(join(logFolder(copy), `${'strange'.repeat(30)}.open`), content);
      const found = await recovered(copy);
      assert.deepEqual(found.ids, ids(frames));
      assert.deepEqual(
        found.setAside.map(({ kind }) => kind),
        ['damaged'],
      );
    }
  });

  test('that was not completely created has nothing to report', async (t) => {
    const { data, frames } = await written(t, [1]);
    const copy = crashed(t, data);
    writeFileSync(join(logFolder(copy), 'half.new'), Buffer.alloc(4096));
    assert.deepEqual(await recovered(copy), { ids: ids(frames), events: [], setAside: [] });
  });

  test('whose name is not that of a segment is left alone', async (t) => {
    const { data, frames } = await written(t, [1]);
    const copy = crashed(t, data);
    for (const name of ['a.open.bak', '.open', 'notes.txt']) {
      writeFileSync(join(logFolder(copy), name), 'x');
    }
    mkdirSync(join(logFolder(copy), 'folder'));
    assert.deepEqual((await recovered(copy)).ids, ids(frames));
  });

  test('of which there is a copy does not process its frames twice', async (t) => {
    const { data, store, mover } = tempJournal(t);
    const log = await openLog(data);
    const frame = fresh(1);
    await log.append(row(frame));
    const folder = logFolder(data);
    const segment = listSegments(folder).find(({ state }) => state === 'open')!;
    const content = readFileSync(recordOf(data, frame).path);
    await log.close();
    await mover.run();
    await store.write(() => {
      store.frames.remove(freshKey(frame));
      store.settled.put(Buffer.from(frame.id), Buffer.alloc(8));
    });
    const copy = crashed(t, data);
    writeFileSync(join(logFolder(copy), 'another.open'), content);
    assert.deepEqual((await recovered(copy)).ids, []);
    const twice = crashed(t, data);
    const [one] = listSegments(logFolder(twice)).filter(({ id }) => id === segment.id);
    writeFileSync(segmentPath(logFolder(twice), { ...one!, state: 'full' }), content);
    await assert.rejects(recovered(twice), /are the same segment: remove the one that is a copy/);
    rmSync(segmentPath(logFolder(twice), { ...one!, state: 'full' }));
    assert.deepEqual((await recovered(twice)).ids, []);
  });
});
