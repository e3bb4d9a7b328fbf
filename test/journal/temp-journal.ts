import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { recordHeader } from '../../src/journal/frame/record.js';
import { FrameLog } from '../../src/journal/local/frame-log.js';
import { waitingInLog } from '../../src/journal/local/inspect.js';
import { LoggedFrames } from '../../src/journal/local/logged-frames.js';
import { listSegments, logFolder } from '../../src/journal/local/segment-files.js';
import { freshFacts, freshKey } from '../../src/journal/store/frame-rows.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import type { Frame } from '../../src/model/frame.js';
import type { Log } from '../../src/model/log.js';

/** For tests in which nothing is damaged. */
export const noLog: Log = (_event, message) => {
  throw new Error(message);
};

/** Moves all frames of the log into the tables, where the tests look for them. */
export class LogMover {
  readonly logged: LoggedFrames;

  constructor(store: LocalStore, write: (writes: () => void) => Promise<void>, log: Log) {
    this.logged = new LoggedFrames(store, write, log);
  }

  /** True when anything was new. */
  async run(): Promise<boolean> {
    const isNew = this.logged.read();
    await this.logged.tidy('all');
    return isNew;
  }

  runAtStart(): void {
    this.logged.moveAllAtStart();
  }

  close(): void {
    this.logged.close();
  }
}

export interface TempJournal {
  readonly data: string;
  readonly store: LocalStore;
  readonly mover: LogMover;
}

/** A journal with its tables, and no log yet. */
export function tempJournal(t: TestContext): TempJournal {
  const data = mkdtempSync(join(tmpdir(), 'forebay-log-'));
  const store = new LocalStore(data);
  const mover = new LogMover(store, (writes) => store.write(writes), noLog);
  t.after(async () => {
    mover.close();
    await store.close();
    rmSync(data, { recursive: true });
  });
  return { data, store, mover };
}

export async function openLog(data: string, hasRoom = true): Promise<FrameLog> {
  const log = new FrameLog(data, () => hasRoom);
  await log.prepared();
  return log;
}

export function row(frame: Frame) {
  const key = freshKey(frame);
  const { payload, keys } = frame;
  return { key, header: recordHeader(frame), payload, isKeyed: keys.length > 0 };
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

/** What `forebay check` sees in the log, if the tables know nothing of it. */
export function seenInLog(data: string) {
  return waitingInLog(data, { meta: null, isKnown: () => false, refresh: () => {} });
}

/** A journal whose log has these frames, appended one after the other, and is still written to. */
export async function logged(t: TestContext, ...frames: readonly Frame[]) {
  const { data, store } = tempJournal(t);
  const log = await openLog(data);
  for (const frame of frames) {
    await log.prepared();
    await log.append(row(frame));
  }
  t.after(() => log.close());
  return { data, store, log };
}
