import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, renameSync, writeSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A few seconds' worth of a busy thread; the largest frame is a quarter of it. */
export const SEGMENT_BYTES = 4 * 1024 ** 2;

/** All segments of a data folder, those of all its threads: half a gigabyte. */
export const SEGMENTS_MAX = 128;

/**
 * What the ending of a segment's name tells the threads of this process. It is not flushed, so after a
 * crash it tells nothing: then every segment may hold frames.
 */
export type SegmentState =
  /** Being made: not all of it has been written yet. */
  | 'new'
  /** An appender writes to it. */
  | 'open'
  /** Its appender has done with it: what is in it waits to be moved to the tables. */
  | 'full'
  /** The same, and a write to it has failed: nobody should use it again. */
  | 'broken'
  /** All that was in it is in the tables: the next appender that needs one may have it. */
  | 'free';

const STATES: readonly SegmentState[] = ['new', 'open', 'full', 'broken', 'free'];

const NOTHING = Buffer.alloc(64);

export interface Segment {
  /** Stays the same as long as there is the file. */
  readonly id: string;
  readonly state: SegmentState;
}

export function logFolder(dataFolder: string): string {
  return join(dataFolder, 'frames');
}

export function segmentPath(folder: string, { id, state }: Segment): string {
  return join(folder, `${id}.${state}`);
}

/** Empty where there is no such folder. */
export function listSegments(folder: string): Segment[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return names.flatMap((name) => {
    const [id, ending] = name.split('.') as [string, string?];
    const state = STATES.find((known) => known === ending);
    return state === undefined ? [] : [{ id, state }];
  });
}

/** @throws Error ENOENT when another thread was faster */
export function changeState(folder: string, segment: Segment, state: SegmentState): Segment {
  const changed = { id: segment.id, state };
  renameSync(segmentPath(folder, segment), segmentPath(folder, changed));
  return changed;
}

/**
 * Makes its first record none, so that what is over is not found again by somebody who has lost the tables. Not
 * flushed: the place that is noted in the tables says the same.
 */
export function blankSegment(folder: string, segment: Segment): void {
  const descriptor = openSync(segmentPath(folder, segment), 'r+');
  try {
    writeSync(descriptor, NOTHING, 0, NOTHING.length, 0);
  } finally {
    closeSync(descriptor);
  }
}

/** After a crash: any of them may hold frames, and none has an appender. */
export function markSegmentsFull(dataFolder: string): void {
  const folder = logFolder(dataFolder);
  for (const segment of listSegments(folder)) {
    if (segment.state !== 'full') changeState(folder, segment, 'full');
  }
}

/**
 * Makes a segment whose blocks are all written, so that a write to it later changes nothing but them: the file
 * system then has no metadata to flush along with it. Its name is durable.
 */
export async function makeSegment(folder: string): Promise<Segment> {
  mkdirSync(folder, { recursive: true });
  await flushFolder(dirname(folder));
  const segment: Segment = { id: randomBytes(8).toString('hex'), state: 'new' };
  const path = segmentPath(folder, segment);
  let file: FileHandle | null = null;
  try {
    file = await open(path, 'wx');
    const zeros = Buffer.alloc(SEGMENT_BYTES / 16);
    for (let bytes = 0; bytes < SEGMENT_BYTES; bytes += zeros.length) await file.writeFile(zeros);
    await file.sync();
    await flushFolder(folder);
    const made: Segment = { id: segment.id, state: 'open' };
    await rename(path, segmentPath(folder, made));
    return made;
  } catch (error) {
    await rm(path, { force: true }).catch(() => {});
    throw error;
  } finally {
    await file?.close();
  }
}

/** Makes the names in it durable. */
async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
