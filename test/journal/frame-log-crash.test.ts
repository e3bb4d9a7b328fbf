import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { listSegments, logFolder, SEGMENT_BYTES } from '../../src/journal/local/segment-files.js';
import { freshKey } from '../../src/journal/store/frame-rows.js';
import { crashed, recovered } from './damaged-segments.js';
import { fresh } from './frames.js';
import { ids, openLog, row, tempJournal } from './temp-journal.js';

const PAGE_BYTES = 4096;

describe('the log of frames after a crash', () => {
  test('after a crash, every appended frame is recovered, whatever the files are named', async (t) => {
    const { data, mover } = tempJournal(t);
    const log = await openLog(data);
    const before = fresh(5);
    await log.append(row(before));
    await mover.run();
    const after = [fresh(3), fresh(4)];
    await Promise.all(after.map((frame) => log.append(row(frame))));
    for (const state of ['new', 'open', 'full', 'free']) {
      const copy = crashed(t, data);
      for (const segment of listSegments(logFolder(copy))) {
        const name = join(logFolder(copy), segment.id);
        // It is complete before it gets another name.
        if (statSync(`${name}.${segment.state}`).size < SEGMENT_BYTES) continue;
        renameSync(`${name}.${segment.state}`, `${name}.${state}`);
      }
      const again = await recovered(copy);
      assert.deepEqual(again.ids, ids([before, ...after]), state);
      assert.deepEqual(again.events, []);
    }
    await log.close();
  });

  test('a frame that was copied and settled does not come back with its segment', async (t) => {
    const { data, store, mover } = tempJournal(t);
    const log = await openLog(data);
    const settled = fresh(5);
    await log.append(row(settled));
    await mover.run();
    await store.write(() => store.frames.remove(freshKey(settled)));
    assert.deepEqual((await recovered(crashed(t, data))).ids, []);
    await log.close();
  });

  test('a record at a position where it was not written is ignored', async (t) => {
    const { data } = tempJournal(t);
    const log = await openLog(data);
    await log.append(row(fresh(1)));
    const copy = crashed(t, data);
    for (const { id, state } of listSegments(logFolder(copy))) {
      const path = join(logFolder(copy), `${id}.${state}`);
      const page = readFileSync(path).subarray(0, PAGE_BYTES);
      const file = openSync(path, 'r+');
      writeSync(file, page, 0, page.length, PAGE_BYTES);
      closeSync(file);
    }
    const { ids, setAside } = await recovered(copy);
    assert.equal(ids.length, 1);
    assert.deepEqual(
      setAside.map(({ kind }) => kind),
      ['damaged'],
    );
    await log.close();
  });
});
