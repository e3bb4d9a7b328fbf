import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** Where LMDB's first page has its magic number, and what that is (mdb.c, `MDB_MAGIC`). */
const MAGIC_OFFSET = 24;
const MAGIC = 0xbeefc0de;

/** @throws Error when the folder cannot be made, or not read and written. */
export function prepareFolder(folder: string): void {
  makeFolder(folder);
  accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
}

/** @throws Error when there is a file that LMDB did not write: opening that would end the process. */
export function refuseForeignFile(path: string): void {
  if (!existsSync(path)) return;
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(MAGIC_OFFSET + 4);
    const bytes = readSync(file, head);
    const isOurs = bytes === head.length && head.readUInt32LE(MAGIC_OFFSET) === MAGIC;
    if (bytes > 0 && !isOurs) throw new Error(`${path} is not a journal`);
  } finally {
    closeSync(file);
  }
}

/** Not `recursive: true`, which never returns where the file system takes no folders (as /proc). */
function makeFolder(folder: string): void {
  const parent = dirname(folder);
  if (parent !== folder && !existsSync(parent)) makeFolder(parent);
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another thread may have just made it; whether it is a folder is seen when it is used.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
