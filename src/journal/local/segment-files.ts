import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EXIT, OperatorFault } from '../../model/fault.js';
import type { Generation } from '../frame/generation.js';
import { freeMark } from '../frame/log-record.js';

/** A few seconds of a busy thread; the largest frame is a quarter of it. */
export const SEGMENT_BYTES = 4 * 1024 ** 2;

/** All segments of a data folder, of all threads: 1.25 GiB. */
export const SEGMENTS_MAX = 320;

/**
 * The file extension of a segment tells the threads of this process what it is used for. It is not flushed, so after
 * a crash it means nothing: any segment may contain frames.
 */
export type SegmentState =
  /** Being created: not all blocks are written yet. */
  | 'new'
  /** An appender writes to it. */
  | 'open'
  /** Its appender is done with it. */
  | 'full'
  /** The same, but a write to it has failed: it must not be reused. */
  | 'broken'
  /** Nothing in it counts: any appender may use it. */
  | 'free';

const STATES: readonly SegmentState[] = ['new', 'open', 'full', 'broken', 'free'];

export interface Segment {
  /** Does not change while the file exists. */
  readonly id: string;
  readonly state: SegmentState;
}

export function logFolder(dataFolder: string): string {
  return join(dataFolder, 'frames');
}

export function segmentPath(folder: string, { id, state }: Segment): string {
  return join(folder, `${id}.${state}`);
}

/** Empty when the folder does not exist. */
export function listSegments(folder: string): Segment[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return names.flatMap((name) => {
    const [id, ending, ...more] = name.split('.') as [string, string?, ...string[]];
    const state = STATES.find((known) => known === ending);
    return id === '' || state === undefined || more.length > 0 ? [] : [{ id, state }];
  });
}

/**
 * Like `listSegments`, but beside a running server: a name that changes during a look can be missed, so two looks in a row must
 * find the same.
 */
export function presentSegments(folder: string): readonly Segment[] {
  const textOf = (found: readonly Segment[]) =>
    found
      .map(({ id, state }) => `${id} ${state}`)
      .sort()
      .join();
  const all = new Map<string, Segment>();
  for (let before = ''; ; ) {
    const found = listSegments(folder);
    for (const segment of found) all.set(segment.id, segment);
    if (textOf(found) === before) return [...all.values()];
    before = textOf(found);
  }
}

/** @throws Error ENOENT: another thread was faster */
export function changeState(folder: string, segment: Segment, state: SegmentState): Segment {
  const changed = { id: segment.id, state };
  renameSync(segmentPath(folder, segment), segmentPath(folder, changed));
  return changed;
}

/**
 * Replaces the first record, so that a server that has lost its tables does not find what is settled. Not flushed: the
 * position in the tables says the same.
 * @param generation of the use that ends
 */
export function markFree(folder: string, segment: Segment, generation: Generation): void {
  const mark = freeMark(generation);
  const descriptor = openSync(segmentPath(folder, segment), 'r+');
  try {
    writeSync(descriptor, mark, 0, mark.length, 0);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * After a crash, each segment may contain frames, and none has an appender.
 * @throws OperatorFault two files are the same segment
 */
export function markSegmentsFull(dataFolder: string): void {
  const folder = logFolder(dataFolder);
  for (const segment of listSegments(folder)) {
    if (segment.state === 'full') continue;
    const path = segmentPath(folder, segment);
    if (segment.state === 'new' && statSync(path).size < SEGMENT_BYTES) {
      // It gets its full size before its name changes, and its first record after that.
      rmSync(path);
      continue;
    }
    const full = segmentPath(folder, { id: segment.id, state: 'full' });
    if (existsSync(full)) {
      throw new OperatorFault(
        `${path} and ${full} are the same segment: remove the one that is a copy`,
        EXIT.failed,
      );
    }
    changeState(folder, segment, 'full');
  }
}

/**
 * Creates a segment of which all blocks are written, so that later writes change no metadata that the file system
 * would have to flush. Its name is durable.
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

/** Makes the names in the folder durable. */
async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
