import { accessSync, constants, lstatSync, readdirSync, type Stats, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FolderFault } from './folder-fault.js';

/** Folders in a data folder: segments of the frame log, and what was set aside. */
const FOLDERS = ['frames', 'damaged'];

/** Its states are those of local/segment-files.ts. */
const SEGMENT = /\.(?:new|open|full|broken|free)$/;

export const ELSEWHERE = 'move it away, or name another folder with --data';

/**
 * Checks that this user can read and write the data folder and all that is in its folders. One start as root leaves
 * files there that a server of another user cannot use.
 *
 * @throws FolderFault for the first that cannot be used
 */
export function requireUsableFolders(dataFolder: string): void {
  requireFolder(dataFolder, dataFolder);
  for (const folder of FOLDERS.map((name) => join(dataFolder, name))) {
    if (!isThere(folder)) continue;
    requireFolder(folder, dataFolder);
    for (const name of readdirSync(folder)) {
      // What has not the name of a segment is left alone.
      if (SEGMENT.test(name)) requireUsableFile(join(folder, name), dataFolder);
    }
  }
}

function requireFolder(folder: string, dataFolder: string): void {
  const stats = statsOf(folder);
  if (!stats.isDirectory()) throw new FolderFault(`${folder} is a file, not a folder`, ELSEWHERE);
  requireAccess(folder, stats, dataFolder, constants.R_OK | constants.W_OK | constants.X_OK);
}

/**
 * @returns whether it exists
 * @throws FolderFault it is no file, or this user cannot read and write it
 */
export function requireUsableFile(path: string, dataFolder = dirname(path)): boolean {
  if (!isThere(path)) return false;
  try {
    requireFile(path, dataFolder);
    return true;
  } catch (error) {
    // A server renames and deletes segments at any time.
    if (!isThere(path)) return false;
    throw error;
  }
}

function requireFile(path: string, dataFolder: string): void {
  const stats = statsOf(path);
  if (!stats.isFile()) {
    const kind = stats.isDirectory() ? 'a folder' : 'not a regular file';
    throw new FolderFault(`${path} is ${kind}`, ELSEWHERE);
  }
  requireAccess(path, stats, dataFolder, constants.R_OK | constants.W_OK);
}

/** Also when it is a link that leads nowhere. */
export function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function statsOf(path: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    throw new FolderFault((error as Error).message, `remove the link ${path}`);
  }
}

function requireAccess(
  path: string,
  { uid, mode }: Stats,
  dataFolder: string,
  wanted: number,
): void {
  try {
    accessSync(path, wanted);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EROFS') {
      throw new FolderFault(
        `${path} is on a file system that is read-only`,
        'mount it for writing, or name another folder with --data',
      );
    }
    const user = process.geteuid?.();
    const owner = `it belongs to user ${uid} and has mode ${(mode & 0o777).toString(8)}`;
    const what = `user ${user} cannot read and write ${path}: ${owner}`;
    // A folder that is not ours, such as /var/lib, must not change its owner.
    const isOurs = path !== dataFolder || FOLDERS.some((name) => isThere(join(path, name)));
    const fix = isOurs
      ? `run as user ${uid}, or give the folder to this one: chown -R ${user} ${dataFolder}`
      : 'name a folder with --data that this user can write';
    throw new FolderFault(what, fix);
  }
}
