import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { encodeRecord } from '../../src/journal/frame/record.js';
import { FrameLog } from '../../src/journal/local/frame-log.js';
import { LogCheckpoint } from '../../src/journal/local/log-checkpoint.js';
import { listSegments, logFolder } from '../../src/journal/local/segment-files.js';
import { freshFacts, freshKey } from '../../src/journal/store/frame-rows.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import type { Frame } from '../../src/model/frame.js';
import type { Log } from '../../src/model/log.js';

/** For tests in which nothing is damaged. */
export const noLog: Log = (_event, message) => {
  throw new Error(message);
};

export interface TempJournal {
  readonly data: string;
  readonly store: LocalStore;
  readonly checkpoint: LogCheckpoint;
}

/** A journal with its tables, and no log yet. */
export function tempJournal(t: TestContext): TempJournal {
  const data = mkdtempSync(join(tmpdir(), 'forebay-log-'));
  const store = new LocalStore(data);
  const checkpoint = new LogCheckpoint(store, (writes) => store.write(writes), noLog);
  t.after(async () => {
    checkpoint.close();
    await store.close();
    rmSync(data, { recursive: true });
  });
  return { data, store, checkpoint };
}

export async function openLog(data: string, hasRoom = true): Promise<FrameLog> {
  const log = new FrameLog(data, () => hasRoom);
  await log.prepared();
  return log;
}

export function row(frame: Frame) {
  const key = freshKey(frame);
  return { key, value: encodeRecord(frame, key), isKeyed: frame.keys.length > 0 };
}

export function inTables(store: LocalStore): string[] {
  store.refresh();
  return [...store.frames.getKeys()].map((key) => freshFacts(key).id);
}

export function ids(frames: readonly Frame[]): string[] {
  return frames.map(({ id }) => id).sort();
}

export function states(data: string): string[] {
  return listSegments(logFolder(data))
    .map(({ state }) => state)
    .sort();
}
