import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { CheckpointLoop } from '../../src/journal/local/checkpoint-loop.js';
import { logFolder } from '../../src/journal/local/segment-files.js';
import { GroupedWrites } from '../../src/journal/store/grouped-writes.js';
import { WakeFlag } from '../../src/memory/wake-flag.js';
import { fresh, until } from './frames.js';
import { inTables, openLog, place, row } from './log-place.js';

/** A frame that lies in a log elsewhere, and how to have it in the log of `data`, without a moment in between. */
async function readyFrame(t: TestContext, data: string) {
  const elsewhere = mkdtempSync(join(tmpdir(), 'forebay-elsewhere-'));
  t.after(() => rmSync(elsewhere, { recursive: true }));
  const log = await openLog(elsewhere);
  const frame = fresh(1);
  await log.append(row(frame));
  await log.close();
  const commit = () => {
    for (const name of readdirSync(logFolder(elsewhere))) {
      renameSync(join(logFolder(elsewhere), name), join(logFolder(data), name));
    }
  };
  return { id: frame.id, commit };
}

/**
 * Who moves frames is woken once, and `atLast` is called when it listens again, with its last look yet to come.
 *
 * @param atLast commits one frame by what it is given; `told` is what an appender does after a commit
 */
async function wakeOnce(
  t: TestContext,
  atLast: (commit: () => void, told: () => void) => void,
): Promise<void> {
  // No look by the clock: what is found is found because somebody was told of it.
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { data, store } = place(t);
  mkdirSync(logFolder(data));
  const { id, commit } = await readyFrame(t, data);
  const flag = WakeFlag.memory();
  const [reader, writer] = [new WakeFlag(flag), new WakeFlag(flag)];
  let listened = 0;
  const listen = () => {
    reader.set();
    // The first time it has only been made.
    if (++listened === 2) atLast(commit, told);
  };
  const tender = new CheckpointLoop(store, new GroupedWrites(store), listen, () => {});
  const told = () => {
    if (writer.take()) tender.wake();
  };
  try {
    tender.wake();
    await until(() => inTables(store).includes(id), 'the frame in the tables');
    assert.ok(listened >= 2);
  } finally {
    await tender.close();
  }
}

describe('who moves frames from the logs into the tables', () => {
  test('a commit before the last look, of which nobody tells, is found by it', async (t) => {
    await wakeOnce(t, (commit) => commit());
  });

  test('a commit that is told of during the last look, and comes after it, is looked for at once', async (t) => {
    await wakeOnce(t, (commit, told) =>
      // The look reads the logs before it waits for anything, and this comes when it waits.
      queueMicrotask(() => {
        commit();
        told();
      }),
    );
  });
});
