/** What a server does while its folder is copied: between the copy of the log and that of the tables. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { nextGeneration } from '../../src/journal/frame/generation.js';
import { generationAt } from '../../src/journal/frame/log-record.js';
import { backUp } from '../../src/journal/local/backup.js';
import { logFolder } from '../../src/journal/local/segment-files.js';
import { writePosition } from '../../src/journal/local/segment-positions.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { recordSettled, settledFrame } from '../../src/journal/store/receipt-rows.js';
import type { Frame } from '../../src/model/frame.js';
import { overwrite, recordOf } from './damaged-segments.js';
import { fresh, NOTHING } from './frames.js';
import { ids, inTables, openLog, row, type TempJournal, tempJournal } from './temp-journal.js';

/** A journal whose log has these frames. */
async function logged(t: TestContext, ...frames: Frame[]): Promise<TempJournal> {
  const journal = tempJournal(t);
  const log = await openLog(journal.data);
  for (const frame of frames) await log.append(row(frame));
  await log.close();
  return journal;
}

/** Backs up a folder in use. @returns the frames that wait in the copy, and what was logged */
async function backedUp(t: TestContext, { data }: TempJournal, onLogCopied: () => void) {
  const to = join(data, '..', `${data.split('/').at(-1)}-backup`);
  t.after(() => fs.rmSync(to, { recursive: true, force: true }));
  const events: string[] = [];
  const write = fs.writeFileSync;
  const mock = t.mock.method(fs, 'writeFileSync', (...given: Parameters<typeof write>) => {
    write(...given);
    if (String(given[0]).startsWith(logFolder(to))) onLogCopied();
  });
  syncBuiltinESMExports();
  try {
    await backUp(data, to, { isInUse: true, log: (event) => events.push(event) });
  } finally {
    mock.mock.restore();
    syncBuiltinESMExports();
  }
  assert.ok(mock.mock.callCount() > 1, 'a segment was copied');
  const copy = new LocalStore(to);
  try {
    return { waiting: inTables(copy), events };
  } finally {
    await copy.close();
  }
}

describe('a backup of a folder in use', () => {
  it('has what waits', async (t) => {
    const frames = [fresh(2), fresh(1)];
    const journal = await logged(t, ...frames);
    assert.deepEqual(await backedUp(t, journal, () => {}), {
      waiting: ids(frames),
      events: [],
    });
  });

  it('lacks a frame that is settled after the log was copied', async (t) => {
    const [done, waits] = [fresh(1), fresh(1)];
    const journal = await logged(t, done, waits);
    const { store } = journal;
    const settle = () => {
      store.transact(() => recordSettled(store, settledFrame(done, NOTHING)));
    };
    assert.deepEqual(await backedUp(t, journal, settle), { waiting: [waits.id], events: [] });
  });

  it('lacks the frames of a segment that is used again after the log was copied', async (t) => {
    const frame = fresh(1);
    const journal = await logged(t, frame);
    const { data, store } = journal;
    const { path } = recordOf(data, frame);
    const copied = generationAt(fs.readFileSync(path))!;
    const id = basename(path).split('.')[0]!;
    const useAgain = () => {
      const generation = nextGeneration(copied);
      store.transact(() => writePosition(store, id, { generation, position: 0 }));
    };
    assert.deepEqual(await backedUp(t, journal, useAgain), { waiting: [], events: [] });
  });

  it('leaves out a write in progress, and says nothing of it', async (t) => {
    const [written, inProgress] = [fresh(1), fresh(1)];
    const journal = await logged(t, written, inProgress);
    const { path, at } = recordOf(journal.data, inProgress);
    overwrite(path, at + 64, Buffer.alloc(64));
    assert.deepEqual(await backedUp(t, journal, () => {}), { waiting: [written.id], events: [] });
  });
});
