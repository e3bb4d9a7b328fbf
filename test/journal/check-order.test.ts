/** What a server does while `forebay check` looks: between the tables and the frame log, and from segment to segment. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { nextGeneration } from '../../src/journal/frame/generation.js';
import { generationAt } from '../../src/journal/frame/log-record.js';
import { inspectFolder } from '../../src/journal/local/inspect.js';
import {
  changeState,
  listSegments,
  logFolder,
  SEGMENT_BYTES,
  segmentPath,
} from '../../src/journal/local/segment-files.js';
import { writePosition } from '../../src/journal/local/segment-positions.js';
import { recordSettled, settledFrame } from '../../src/journal/store/receipt-rows.js';
import type { Frame } from '../../src/model/frame.js';
import { recordOf } from './damaged-segments.js';
import { fresh, NOTHING } from './frames.js';
import { openLog, row, type TempJournal, tempJournal } from './temp-journal.js';

/** A journal whose log has these frames, each in a segment of its own. */
async function logged(t: TestContext, ...frames: Frame[]): Promise<TempJournal> {
  const journal = tempJournal(t);
  for (const frame of frames) {
    const log = await openLog(journal.data);
    await log.append(row(frame));
    await log.close();
    for (const segment of listSegments(logFolder(journal.data))) {
      if (segment.state === 'free') fs.rmSync(`${logFolder(journal.data)}/${segment.id}.free`);
    }
  }
  return journal;
}

/** Looks at a folder in use. @param onListed called once, when the segments were listed and none was read */
async function looked(t: TestContext, { data }: TempJournal, onListed: () => void) {
  const list = fs.readdirSync;
  let looks = 0;
  const mock = t.mock.method(fs, 'readdirSync', ((...given: Parameters<typeof list>) => {
    const names = list(...given);
    // The first look is at who may read the files.
    if (String(given[0]) === logFolder(data) && ++looks === 2) onListed();
    return names;
  }) as typeof list);
  syncBuiltinESMExports();
  try {
    const { journal } = await inspectFolder(data, '');
    assert.ok(looks > 1, 'the segments were listed');
    return journal;
  } finally {
    mock.mock.restore();
    syncBuiltinESMExports();
  }
}

describe('forebay check of a folder in use', () => {
  it('counts the frames of a segment that is full a moment later', async (t) => {
    const journal = await logged(t, fresh(2), fresh(3));
    const [segment] = listSegments(logFolder(journal.data));
    const open = changeState(logFolder(journal.data), segment!, 'open');
    const found = await looked(t, journal, () => {
      changeState(logFolder(journal.data), open, 'full');
    });
    assert.equal(found?.waiting?.orders, 5);
  });

  it('is not refused because a segment gets another name while its rights are checked', async (t) => {
    const { data } = await logged(t, fresh(2));
    const [segment] = listSegments(logFolder(data));
    const open = changeState(logFolder(data), segment!, 'open');
    const look = fs.lstatSync;
    const mock = t.mock.method(fs, 'lstatSync', ((...given: Parameters<typeof look>) => {
      const stats = look(...given);
      if (given[0] === segmentPath(logFolder(data), open)) {
        mock.mock.restore();
        syncBuiltinESMExports();
        changeState(logFolder(data), open, 'full');
      }
      return stats;
    }) as typeof look);
    syncBuiltinESMExports();
    const { fault, journal } = await inspectFolder(data, '');
    assert.equal(fault, '');
    assert.equal(journal?.waiting?.orders, 2);
  });

  it('counts a frame once that is moved into the tables meanwhile', async (t) => {
    const journal = await logged(t, fresh(2), fresh(3));
    const found = await looked(t, journal, () => {
      journal.mover.runAtStart();
      assert.deepEqual(
        new Set(listSegments(logFolder(journal.data)).map(({ state }) => state)),
        new Set(['free']),
      );
    });
    assert.equal(found?.waiting?.orders, 5);
  });

  it('does not count a frame that is settled meanwhile', async (t) => {
    const [done, waits] = [fresh(2), fresh(3)];
    const journal = await logged(t, done, waits);
    const { store } = journal;
    const found = await looked(t, journal, () => {
      store.transact(() => recordSettled(store, settledFrame(done, NOTHING)));
    });
    assert.equal(found?.waiting?.orders, 3);
  });

  it('does not count a frame that left meanwhile, although no row says any more that it was settled', async (t) => {
    const [done, waits] = [fresh(2), fresh(3)];
    const journal = await logged(t, done, waits);
    const { data, store } = journal;
    const { path } = recordOf(data, done);
    const generation = generationAt(fs.readFileSync(path))!;
    const id = basename(path).split('.')[0]!;
    for (const end of [
      { generation, position: SEGMENT_BYTES },
      { generation: nextGeneration(generation), position: 0 },
    ]) {
      const leave = () => store.transact(() => writePosition(store, id, end));
      assert.equal((await looked(t, journal, leave))?.waiting?.orders, 3);
      store.transact(() => store.meta.remove(Buffer.from(`log/${id}`)));
    }
  });
});
