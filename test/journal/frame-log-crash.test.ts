import assert from 'node:assert/strict';
import {
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { LogCheckpoint } from '../../src/journal/local/log-checkpoint.js';
import {
  listSegments,
  logFolder,
  markSegmentsFull,
} from '../../src/journal/local/segment-files.js';
import { freshKey } from '../../src/journal/store/frame-rows.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { fresh } from './frames.js';
import { ids, inTables, openLog, row, states, tempJournal } from './temp-journal.js';

const PAGE_BYTES = 4096;

describe('the log of frames after a crash', () => {
  test('after a crash, every appended frame is recovered, whatever the files are named', async (t) => {
    const { data, checkpoint } = tempJournal(t);
    const log = await openLog(data);
    const before = fresh(5);
    await log.append(row(before));
    await checkpoint.run();
    const after = [fresh(3), fresh(4)];
    await Promise.all(after.map((frame) => log.append(row(frame))));
    for (const state of ['new', 'open', 'full', 'free']) {
      const copy = crashed(t, data);
      for (const segment of listSegments(logFolder(copy))) {
        const name = join(logFolder(copy), segment.id);
        renameSync(`${name}.${segment.state}`, `${name}.${state}`);
      }
      const again = await recovered(copy);
      assert.deepEqual(again, ids([before, ...after]), state);
    }
    await log.close();
  });

  test('a frame that was copied and settled does not come back with its segment', async (t) => {
    const { data, store, checkpoint } = tempJournal(t);
    const log = await openLog(data);
    const settled = fresh(5);
    await log.append(row(settled));
    await checkpoint.run();
    await store.write(() => store.frames.remove(freshKey(settled)));
    assert.deepEqual(await recovered(crashed(t, data)), []);
    await log.close();
  });

  test('reading ends at the first incomplete record, because none after it was confirmed', async (t) => {
    const { data } = tempJournal(t);
    const log = await openLog(data);
    const frames = [fresh(200), fresh(200), fresh(200)];
    for (const frame of frames) await log.append(row(frame));
    const copy = crashed(t, data);
    const segment = listSegments(logFolder(copy)).find(({ id, state }) =>
      readFileSync(join(logFolder(copy), `${id}.${state}`)).includes(frames[0]!.id),
    )!;
    const path = join(logFolder(copy), `${segment.id}.${segment.state}`);
    const at = readFileSync(path).indexOf(`${frames[1]!.id}-100 `);
    const file = openSync(path, 'r+');
    writeSync(file, 'X', at);
    closeSync(file);
    assert.deepEqual(await recovered(copy), [frames[0]!.id]);
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
    assert.equal((await recovered(copy)).length, 1);
    await log.close();
  });
});

/** A copy of the folder as it would be after killing the process now. */
function crashed(t: TestContext, data: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'forebay-log-crashed-'));
  t.after(() => rmSync(copy, { recursive: true, force: true }));
  for (const name of readdirSync(data)) {
    if (!name.endsWith('-lock')) cpSync(join(data, name), join(copy, name), { recursive: true });
  }
  return copy;
}

/** The content of the tables after the start. */
async function recovered(data: string): Promise<string[]> {
  const store = new LocalStore(data);
  const checkpoint = new LogCheckpoint(store, (writes) => store.write(writes));
  try {
    markSegmentsFull(data);
    checkpoint.runAtStart();
    const found = inTables(store);
    assert.deepEqual(
      states(data).filter((state) => state !== 'free'),
      [],
    );
    return found;
  } finally {
    checkpoint.close();
    await store.close();
  }
}
