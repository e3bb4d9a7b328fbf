import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { FileSystem } from '../../model/durability.js';
import { EXIT, OperatorFault } from '../../model/fault.js';
import type { CopyFault } from '../../model/journal-facts.js';
import { fileSystemOf } from './file-system.js';
import { journalFile, type LocalStore, MAP_BYTES } from './local-store.js';
import { findRow } from './sound-file.js';

/** Row of the table `meta`: there while a server has the folder open, and after a crash. */
const KEY = Buffer.from('open', 'latin1');

/** Which file it is. A copy is another file; a file that is moved, or on a snapshot of its volume, is the same. */
interface FileIdentity {
  readonly inode: string;
  /** When it was created, epoch nanoseconds; empty where the file system does not tell. */
  readonly born: string;
}

interface OpenMark extends FileIdentity {
  readonly sinceMs: number;
}

export const COPY_FIX =
  'restore a backup that forebay backup made, or the folder as it is after a stop; to take this copy as it is, --accept-copy on';

/**
 * Marks the file as open, which closing the store in order takes back.
 * @param onCopy called when it is, or may be, a copy that was made while a server had the file open
 * @throws Error the disk takes no writes; or what `onCopy` throws
 */
export function markOpen(
  store: LocalStore,
  onCopy: (fault: CopyFault) => void,
  fileSystem = fileSystemOf(store.folder),
): void {
  const path = join(store.folder, journalFile);
  const fault = faultIn(store.meta.getBinary(KEY), path, fileSystem);
  if (fault !== null) onCopy(fault);
  const mark: OpenMark = { ...identityOf(path), sinceMs: Date.now() };
  // A transaction whose work returns a promise, as put does, would wait for it.
  store.transact(() => void store.meta.put(KEY, Buffer.from(JSON.stringify(mark))));
  store.onClose(() => store.transact(() => void store.meta.remove(KEY)));
}

/** Takes the mark from a complete copy that LMDB made. */
export function clearOpenMark(store: LocalStore): void {
  store.transact(() => void store.meta.remove(KEY));
}

/** Null unless the file is, or may be, a copy that was made while a server had it open. */
export function copyFault(folder: string, fileSystem = fileSystemOf(folder)): CopyFault | null {
  const path = join(folder, journalFile);
  return faultIn(findRow(path, MAP_BYTES, 'meta', KEY), path, fileSystem);
}

export function copyRefused(folder: string, { text }: CopyFault): OperatorFault {
  return new OperatorFault(`data folder ${folder}: ${text}; ${COPY_FIX}`, EXIT.failed);
}

function faultIn(
  row: Uint8Array | undefined,
  path: string,
  { name, kind }: FileSystem,
): CopyFault | null {
  const mark = row === undefined ? null : markIn(row);
  if (mark === null) return null;
  const now = identityOf(path);
  const isSame =
    mark.inode === now.inode && (mark.born === '' || now.born === '' || mark.born === now.born);
  if (isSame) return null;
  const since = new Date(mark.sinceMs).toISOString();
  const lost = 'orders can be missing in it, or be processed a second time';
  if (kind !== 'fuse' && kind !== 'network') {
    const text = `it is a copy that was made while a server used the folder, since ${since}: ${lost}`;
    return { text, isCertain: true };
  }
  const text = `its journal is another file than the one that a server used since ${since}. Either ${name} was mounted again and changed its inode number, or it is a copy that was made while the server used it: then ${lost}`;
  return { text, isCertain: false };
}

/** Null when the row is not as it was written: then nothing is known. */
function markIn(row: Uint8Array): OpenMark | null {
  try {
    return JSON.parse(Buffer.from(row).toString()) as OpenMark;
  } catch {
    return null;
  }
}

function identityOf(path: string): FileIdentity {
  const { ino, birthtimeNs, ctimeNs } = statSync(path, { bigint: true });
  // Without the time of creation, Node gives 0 or the time of the last change.
  const born = birthtimeNs === 0n || birthtimeNs === ctimeNs ? '' : String(birthtimeNs);
  return { inode: String(ino), born };
}
