import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
} from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FolderFault } from './folder-fault.js';
import { DamagedFile, ForeignFile } from './lmdb-meta.js';
import { latestMeta, walkFile } from './lmdb-walk.js';
import { ELSEWHERE, isThere, requireUsableFile } from './usable-files.js';

const RESTORE =
  'restore a backup of the folder (forebay backup), or move the folder away to start with an empty one: orders that only this file has are then lost';

/** A file that a process writes to changes while it is read. */
const TRIES_MAX = 5;

/**
 * To be called before LMDB opens a file: lmdb 3.5.6 ends the process with SIGSEGV or SIGBUS when the file or its lock
 * file cannot be opened, is damaged or is cut short.
 *
 * Reads the whole file, about 50 ms per gigabyte of frames and at most a second per gigabyte of small rows.
 * @param mapBytes what LMDB maps at most
 * @throws FolderFault
 */
export function requireSoundFile(path: string, mapBytes: number): void {
  const lock = `${path}-lock`;
  requireUsableFile(path);
  const hasLock = requireUsableFile(lock);
  // Another thread has checked it. And closing the lock file would release the locks that LMDB has on it.
  if (isMapped(path)) return;
  if (isThere(path)) requireSoundPages(path, mapBytes);
  if (hasLock && process.platform === 'linux' && !isFreshLock(lock)) requireOpenable(path, lock);
}

function requireSoundPages(path: string, mapBytes: number): void {
  const descriptor = openSync(path, 'r');
  try {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const before = lastTransaction(descriptor, mapBytes);
      try {
        walkFile(descriptor, latestMeta(descriptor, mapBytes));
        return;
      } catch (error) {
        if (error instanceof ForeignFile)
          throw new FolderFault(`${path} ${error.message}`, ELSEWHERE);
        if (!(error instanceof DamagedFile)) throw error;
        // Otherwise it was changed while it was read, by a process that has checked it.
        if (lastTransaction(descriptor, mapBytes) === before) {
          throw new FolderFault(`${path} ${error.message}`, RESTORE);
        }
      }
    }
  } finally {
    closeSync(descriptor);
  }
}

/**
 * A row of a sound file, read without LMDB, which would make a lock file. Not found while another process writes to it.
 */
export function findRow(
  path: string,
  mapBytes: number,
  table: string,
  key: Buffer,
): Buffer | undefined {
  const descriptor = openSync(path, 'r');
  let found: Buffer | undefined;
  try {
    walkFile(descriptor, latestMeta(descriptor, mapBytes), (name, rowKey, value) => {
      if (name === table && rowKey.equals(key)) found = Buffer.from(value());
    });
  } catch (error) {
    if (!(error instanceof DamagedFile)) throw error;
  } finally {
    closeSync(descriptor);
  }
  return found;
}

function lastTransaction(descriptor: number, mapBytes: number): number {
  try {
    return latestMeta(descriptor, mapBytes).txn;
  } catch {
    return -1;
  }
}

/** Of a lock file: MDB_txninfo for 126 readers, rounded down to pages. */
const LOCK_BYTES_MIN = 8192;
const LOCK_MAGIC = 0xbeefc0de;
/** MDB_LOCK_FORMAT of lmdb 3.5.6 for Linux on x64; other machines have others. */
const LOCK_FORMAT = 0x2c2f6002;

/** Whether LMDB can use the lock file as it is, or creates it again. */
function isFreshLock(path: string): boolean {
  const head = Buffer.alloc(8);
  const descriptor = openSync(path, 'r');
  try {
    const { size } = fstatSync(descriptor);
    if (size === 0) return true;
    readSync(descriptor, head, 0, head.length, 0);
    const isFormatKnown = process.arch === 'x64';
    return (
      size >= LOCK_BYTES_MIN &&
      head.readUInt32LE(0) === LOCK_MAGIC &&
      (!isFormatKnown || head.readUInt32LE(4) === LOCK_FORMAT)
    );
  } finally {
    closeSync(descriptor);
  }
}

const PROBE = fileURLToPath(new URL('./probe-lock.js', import.meta.url));

/**
 * If a lock file has other content, as after a power cut, LMDB creates it again, but only if no other process has it open.
 * Otherwise it ends the process. So a child process tries first.
 */
function requireOpenable(path: string, lock: string): void {
  const { signal, status } = spawnSync(process.execPath, [PROBE, path], { stdio: 'ignore' });
  if (signal === null && status === 0) return;
  throw new FolderFault(
    `${lock} is damaged or of another version of LMDB, and another process uses it`,
    'stop every process that uses the folder, delete that file, and start again: it contains no orders, and is created again',
  );
}

/** When another thread has opened the file, all threads share one map. */
export function isMapped(path: string): boolean {
  if (!existsSync(path)) return false;
  // The kernel escapes the line feed, and nothing else.
  const shown = realpathSync(path).replaceAll('\n', '\\012');
  return ofThisProcess('maps').includes(` ${shown}\n`);
}

/** Empty on systems other than Linux. */
export function ofThisProcess(file: 'status' | 'maps'): string {
  try {
    // As Node decodes paths.
    return readFileSync(`/proc/self/${file}`, 'utf8');
  } catch {
    return '';
  }
}
