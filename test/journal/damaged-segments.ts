import {
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  listSegments,
  logFolder,
  markSegmentsFull,
  segmentPath,
} from '../../src/journal/local/segment-files.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { setAsideFiles } from '../../src/journal/store/set-aside.js';
import type { Frame } from '../../src/model/frame.js';
import { inTables, LogMover } from './temp-journal.js';

/** A copy of the folder as it would be after killing the process now. */
export function crashed(t: TestContext, data: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'forebay-log-crashed-'));
  t.after(() => rmSync(copy, { recursive: true, force: true }));
  for (const name of readdirSync(data)) {
    if (!name.endsWith('-lock')) cpSync(join(data, name), join(copy, name), { recursive: true });
  }
  return copy;
}

/** What a start finds. */
export interface Recovered {
  /** Ids of the frames in the tables. */
  readonly ids: string[];
  readonly events: string[];
  /** Of the files in the folder `damaged`: the kind, and the frame id in it. */
  readonly setAside: { kind: string; name: string; bytes: number }[];
}

export async function recovered(data: string): Promise<Recovered> {
  const events: string[] = [];
  const store = new LocalStore(data);
  const mover = new LogMover(
    store,
    (writes) => store.write(writes),
    (event) => events.push(event),
  );
  try {
    markSegmentsFull(data);
    mover.runAtStart();
    const files = [...setAsideFiles(data)];
    const setAside = files.map(({ kind, name, bytes }) => ({ kind, name, bytes }));
    return { ids: inTables(store), events, setAside };
  } finally {
    mover.close();
    await store.close();
  }
}

/** The file with the frame's record, and where the record begins in it. */
export function recordOf(data: string, frame: Frame): { path: string; at: number } {
  const folder = logFolder(data);
  for (const segment of listSegments(folder)) {
    const path = segmentPath(folder, segment);
    const at = readFileSync(path).indexOf(frame.id);
    if (at >= 0) return { path, at: at - (at % 4096) };
  }
  throw new Error(`no segment has frame ${frame.id}`);
}

export function overwrite(path: string, at: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+');
  try {
    writeSync(file, bytes, 0, bytes.length, at);
  } finally {
    closeSync(file);
  }
}

/** Inverts a bit of a byte. */
export function flip(path: string, at: number, mask = 1): void {
  overwrite(path, at, Buffer.from([readFileSync(path)[at]! ^ mask]));
}

/** The paths of the files in the folder `damaged`. */
export function recorded(data: string): string[] {
  return [...setAsideFiles(data)].map(({ file }) => join(data, 'damaged', file));
}
