import assert from 'node:assert/strict';
import { mkdirSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { LoggedFrames } from '../../src/journal/local/logged-frames.js';
import {
  listSegments,
  logFolder,
  SEGMENT_BYTES,
  segmentPath,
} from '../../src/journal/local/segment-files.js';
import type { LocalStore } from '../../src/journal/store/local-store.js';
import { flip, recordOf } from './damaged-segments.js';
import { fresh } from './frames.js';
import { openLog, row, states, tempJournal } from './temp-journal.js';

/** How many free segments are kept. */
const FREE_MAX = 16;

/** Segments that were never written to. */
function empty(data: string, count: number, bytes = SEGMENT_BYTES): void {
  mkdirSync(logFolder(data), { recursive: true });
  for (let i = 0; i < count; i++) {
    const path = segmentPath(logFolder(data), { id: `empty${i}`, state: 'full' });
    writeFileSync(path, '');
    truncateSync(path, bytes);
  }
}

function readerOf(store: LocalStore): LoggedFrames {
  return new LoggedFrames(
    store,
    (writes) => store.write(writes),
    () => {},
  );
}

async function tidied(data: string, logged: LoggedFrames): Promise<string[]> {
  logged.read();
  await logged.tidy('due');
  return states(data);
}

/** The id of the segment with two frames that are in order, and the frames. */
async function written(data: string) {
  const log = await openLog(data);
  const frames = [fresh(1), fresh(1)];
  for (const frame of frames) await log.append(row(frame));
  const segment = listSegments(logFolder(data)).find((one) =>
    recordOf(data, frames[0]!).path.endsWith(`${one.id}.${one.state}`),
  )!;
  return { log, frames, id: segment.id };
}

function ofId(data: string, id: string): string[] {
  return listSegments(logFolder(data)).flatMap((one) => (one.id === id ? [one.state] : []));
}

describe('a segment in which nothing counts', () => {
  test('is free; of more than 16 the others are deleted', async (t) => {
    const { data, mover } = tempJournal(t);
    empty(data, FREE_MAX + 4);
    assert.deepEqual(await tidied(data, mover.logged), Array(FREE_MAX).fill('free'));
  });

  test('is deleted if it was damaged while it was written to or full', async (t) => {
    for (const isFull of [false, true]) {
      const { data, store } = tempJournal(t);
      const { log, frames, id } = await written(data);
      const logged = readerOf(store);
      if (isFull) await log.close();
      logged.read();
      const { path, at } = recordOf(data, frames[0]!);
      flip(path, at + 200);
      for (const frame of frames) {
        // Otherwise their values are in memory.
        const known = logged.frames.get(frame.id)!;
        logged.claim(known);
        logged.release(known);
      }
      await log.close();
      await logged.tidy('all');
      logged.read();
      await logged.tidy('due');
      logged.close();
      assert.deepEqual(ofId(data, id), []);
    }
  });

  test('is deleted if a record in it was damaged before it was read', async (t) => {
    const { data, store } = tempJournal(t);
    const { log, frames, id } = await written(data);
    const { path, at } = recordOf(data, frames[0]!);
    flip(path, at + 200);
    await log.close();
    const logged = readerOf(store);
    logged.read();
    await logged.tidy('all');
    logged.close();
    assert.deepEqual(ofId(data, id), []);
  });

  test('says so itself, for a server that has lost its tables', async (t) => {
    const { data, store, mover } = tempJournal(t);
    const { log } = await written(data);
    await log.close();
    await mover.run();
    assert.deepEqual(states(data), ['free', 'free']);
    await store.write(() => {
      for (const key of store.meta.getKeys()) store.meta.remove(Buffer.from(key));
      for (const key of store.frames.getKeys()) store.frames.remove(Buffer.from(key));
    });
    const logged = readerOf(store);
    for (const one of listSegments(logFolder(data))) {
      const full = segmentPath(logFolder(data), { ...one, state: 'full' });
      renameSync(segmentPath(logFolder(data), one), full);
    }
    logged.readAtStart();
    assert.equal(logged.frames.size, 0);
    logged.close();
  });
});
