import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LogLoop } from '../../src/journal/local/log-loop.js';
import type { LoggedFrames } from '../../src/journal/local/logged-frames.js';
import { logFolder } from '../../src/journal/local/segment-files.js';
import { WakeFlag } from '../../src/memory/wake-flag.js';
import { fresh, until } from './frames.js';
import { openLog, row, tempJournal } from './temp-journal.js';

/** A frame in the log of another folder, and a function that moves that log to `data` atomically. */
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
 * Wakes the loop once, and calls `atLast` when it listens again, with its last check still to come.
 *
 * @param atLast commits one frame by its first argument; `told` is what an appender does after a commit
 */
async function wakeOnce(
  t: TestContext,
  atLast: (commit: () => void, told: () => void) => void,
): Promise<void> {
  // No periodic check: a frame that is found was found because of a report.
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { data, mover } = tempJournal(t);
  mkdirSync(logFolder(data));
  const { id, commit } = await readyFrame(t, data);
  const flag = WakeFlag.memory();
  const [reader, writer] = [new WakeFlag(flag), new WakeFlag(flag)];
  let listened = 0;
  const listen = () => {
    reader.set();
    // The first call is from the constructor.
    if (++listened === 2) atLast(commit, told);
  };
  const loop = new LogLoop(mover.logged, listen, () => {});
  const told = () => {
    if (writer.take()) loop.wake();
  };
  try {
    loop.wake();
    await until(() => mover.logged.frames.get(id) !== undefined, 'the frame found');
    assert.ok(listened >= 2);
  } finally {
    await loop.close();
  }
}

describe('the loop that reads the log', () => {
  test('reads nothing after it was closed, also if frames came in until then', async () => {
    let isClosed = false;
    const late: string[] = [];
    const note = (what: string) => {
      if (isClosed) late.push(what);
    };
    const logged = {
      read: () => {
        note('read');
        return true;
      },
      tidy: async (scope: string) => note(`tidy ${scope}`),
      close: () => {
        isClosed = true;
      },
    };
    const loop = new LogLoop(
      logged as unknown as LoggedFrames,
      () => note('listen'),
      () => note('check'),
    );
    loop.wake();
    await loop.close();
    // Longer than the pause between two checks.
    await sleep(50);
    assert.deepEqual(late, []);
  });

  test('tells what goes wrong until it goes well again', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const faults = { read: '', tidy: '' };
    const fail = (what: keyof typeof faults) => {
      if (faults[what] !== '') throw new Error(faults[what]);
    };
    const logged = {
      read: () => {
        fail('read');
        return false;
      },
      tidy: async () => fail('tidy'),
      close: () => {},
    };
    const loop = new LogLoop(logged as unknown as LoggedFrames, null, () => {});
    for (const [read, tidy] of [
      ['', ''],
      ['no such disk', ''],
      ['', ''],
      ['', 'the tables are full'],
      ['', ''],
    ] as const) {
      Object.assign(faults, { read, tidy });
      loop.wake();
      await sleep(1);
      assert.equal(loop.fault, read || tidy);
    }
    await loop.close();
  });

  test('an unreported commit before the last check is found by it', async (t) => {
    await wakeOnce(t, (commit) => commit());
  });

  test('a commit reported during the last check, but made after it, is found at once', async (t) => {
    await wakeOnce(t, (commit, told) =>
      // The check reads the logs before it waits for anything; this runs when it waits.
      queueMicrotask(() => {
        commit();
        told();
      }),
    );
  });
});
