/** `forebay backup`: a consistent copy of a data folder, while a server uses it or not. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { open } from 'lmdb';
import { EXIT, OperatorFault } from '../../model/fault.js';
import type { Log } from '../../model/log.js';
import { isLater } from '../frame/generation.js';
import { generationAt, readFreeMark } from '../frame/log-record.js';
import { BACKUP_MARK, prepareFolder } from '../store/data-folder.js';
import { APPEND_FLOOR } from '../store/disk-space.js';
import { FreeSpace } from '../store/file-system.js';
import { FolderFault } from '../store/folder-fault.js';
import { hasJournal, journalFile, LocalStore, MAP_BYTES, TABLES } from '../store/local-store.js';
import { clearOpenMark, copyFault, copyRefused } from '../store/open-mark.js';
import { requireSoundFile } from '../store/sound-file.js';
import { requireUsableFolders } from '../store/usable-files.js';
import { LoggedFrames } from './logged-frames.js';
import { SegmentContent } from './segment-content.js';
import {
  listSegments,
  logFolder,
  markSegmentsFull,
  presentSegments,
  SEGMENT_BYTES,
  segmentPath,
} from './segment-files.js';
import { readPosition } from './segment-positions.js';

export interface BackupParts {
  /** Whether a server has the folder open. */
  readonly isInUse: boolean;
  readonly log: Log;
}

/**
 * Copies the folder `from` into `to`, which must be new or empty. Everything that was accepted before the call is in
 * the copy or was settled.
 *
 * The frame log is copied before the tables. So of each frame in the copied log, the copied tables know whether it was
 * settled, or was moved into them: a segment is not used again, and what says that a frame was settled does not expire,
 * before the tables have a position behind the frame. A segment that was used again in between is left out: the tables
 * then have a position in a later use, so nothing counted in the earlier one. At the end the frames of the copied log
 * are moved into the copied tables, so each frame is there once.
 *
 * @throws OperatorFault
 */
export async function backUp(from: string, to: string, parts: BackupParts): Promise<void> {
  const faulty = (what: string, fix: string) =>
    new OperatorFault(`backup of ${from} to ${to}: ${what}; ${fix}`, EXIT.failed);
  if (!hasJournal(from)) throw faulty('there is no journal', 'name the data folder with --data');
  try {
    requireUsableFolders(from);
    requireSoundFile(join(from, journalFile), MAP_BYTES);
    const fault = copyFault(from);
    if (fault?.isCertain) throw copyRefused(from, fault);
    prepareTarget(from, to);
    mark(to);
    copyLog(from, to, parts.isInUse);
    await copyTables(from, to);
    await complete(to, parts.log);
  } catch (error) {
    if (error instanceof OperatorFault) throw error;
    const fix = (error as { fix?: string }).fix ?? 'name a new folder on a disk with enough space';
    throw faulty((error as Error).message.split('\n')[0]!, fix);
  }
}

/** @throws Error it is not empty, too small, or in the wrong place */
function prepareTarget(from: string, to: string): void {
  // An unmounted disk must not send the backup elsewhere.
  const parent = dirname(resolve(to));
  if (!existsSync(parent)) throw new Error(`there is no folder ${parent}`);
  if (`${realpathSync(parent)}/`.startsWith(`${realpathSync(from)}/`)) {
    throw new Error(`${to} is inside the data folder`);
  }
  prepareFolder(to);
  if (readdirSync(to).length > 0) throw new Error(`${to} is not empty`);
  const freeBytes = new FreeSpace(to).bytes();
  const segments = listSegments(logFolder(from)).length;
  const needBytes =
    statSync(join(from, journalFile)).size + segments * SEGMENT_BYTES + APPEND_FLOOR.freeBytes;
  if (freeBytes >= needBytes) return;
  const inMib = (bytes: number) => Math.floor(bytes / 1024 ** 2);
  throw new Error(`${inMib(freeBytes)} MiB free, ${inMib(needBytes)} needed`);
}

/** Until it is gone, the folder is not complete, and no server starts on it. */
function mark(to: string): void {
  writeFileSync(join(to, BACKUP_MARK), 'This backup is not complete.\n');
  flush(join(to, BACKUP_MARK));
  flush(to);
}

function copyLog(from: string, to: string, isInUse: boolean): void {
  mkdirSync(logFolder(to));
  for (const { id } of presentSegments(logFolder(from))) {
    const bytes = readSegment(logFolder(from), id);
    if (bytes === null || isUnused(bytes)) continue;
    const path = segmentPath(logFolder(to), { id, state: 'full' });
    writeFileSync(path, isInUse ? withoutWrites(bytes) : bytes);
  }
}

/** Not if only its first record cannot be read: there can be others behind it. */
function isUnused(bytes: Buffer): boolean {
  return readFreeMark(bytes) !== null || bytes.equals(Buffer.alloc(bytes.length));
}

/** Null when it was deleted: nothing in it counted. */
function readSegment(folder: string, id: string): Buffer | null {
  for (;;) {
    const segment = listSegments(folder).find((found) => found.id === id);
    if (segment === undefined) {
      if (listSegments(folder).some((found) => found.id === id)) continue;
      return null;
    }
    const path = segmentPath(folder, segment);
    try {
      return readFileSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      // Else it has just got another name. A link that leads nowhere never does.
      if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) {
        throw new FolderFault((error as Error).message, `remove the link ${path}`);
      }
    }
  }
}

/** Writes in progress are not part of a backup: what they write was not answered yet. */
function withoutWrites(bytes: Buffer): Buffer {
  const { end } = new SegmentContent(bytes, null).read(SEGMENT_BYTES, true);
  return end === null ? bytes : Buffer.from(bytes).fill(0, end.position);
}

/** LMDB's own copy of the last transaction. */
async function copyTables(from: string, to: string): Promise<void> {
  const root = open<Buffer, Buffer>({
    path: join(from, journalFile),
    readOnly: true,
    overlappingSync: false,
    encoding: 'binary',
    keyEncoding: 'binary',
    maxDbs: TABLES.length,
    mapSize: MAP_BYTES,
  });
  try {
    await (root as unknown as { backup(path: string): Promise<void> }).backup(
      join(to, journalFile),
    );
  } finally {
    await root.close();
  }
}

async function complete(to: string, log: Log): Promise<void> {
  flush(join(to, journalFile));
  const store = new LocalStore(to, { mustExist: true });
  try {
    leaveOutUsedAgain(store, to);
    markSegmentsFull(to);
    const logged = new LoggedFrames(store, (writes) => store.write(writes), log);
    logged.moveAllAtStart();
    logged.close();
    clearOpenMark(store);
  } finally {
    await store.close();
  }
  rmSync(logFolder(to), { recursive: true });
  flush(join(to, journalFile));
  flush(to);
  rmSync(join(to, BACKUP_MARK));
  flush(to);
}

/** Their frames are in the tables, or are settled. */
function leaveOutUsedAgain(store: LocalStore, to: string): void {
  for (const segment of listSegments(logFolder(to))) {
    const path = segmentPath(logFolder(to), segment);
    const copied = generationAt(readFileSync(path));
    const position = readPosition(store.meta, segment.id);
    if (copied === null || position === null) continue;
    if (isLater(position.generation, copied) === true) rmSync(path);
  }
}

function flush(path: string): void {
  if (!existsSync(path)) return;
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
