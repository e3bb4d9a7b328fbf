import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EXIT, OperatorFault } from '../../model/fault.js';
import { processLimits } from '../../options/process-limits.js';
import { FolderFault } from './folder-fault.js';
import { isMapped, ofThisProcess } from './sound-file.js';
import { requireUsableFolders } from './usable-files.js';

/** A file that is there until a backup is complete. */
export const BACKUP_MARK = 'backup-incomplete';

/** @throws FolderFault the folder is a backup that was interrupted */
export function refuseIncomplete(folder: string): void {
  if (!existsSync(join(folder, BACKUP_MARK))) return;
  throw new FolderFault(
    'it is a backup that was interrupted',
    'remove it and make another; restore an earlier one if there is no other',
  );
}

/** @throws Error the folder cannot be created; FolderFault it cannot be read or written */
export function prepareFolder(folder: string): void {
  makeFolder(folder);
  requireUsableFolders(folder);
}

/** Not `recursive: true`, which never returns on file systems that take no folders, such as /proc. */
function makeFolder(folder: string): void {
  const parent = dirname(folder);
  if (parent !== folder && !existsSync(parent)) makeFolder(parent);
  try {
    // Orders are in it as they came: other users must not read them.
    mkdirSync(folder, { mode: 0o750 });
  } catch (error) {
    // Another thread may just have created it; whether it is a folder shows when it is used.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/**
 * LMDB maps the whole file, up to the size that it may grow to. When there is not enough address space, lmdb 3.5.6
 * ends the process with SIGSEGV, so this is checked first.
 * @throws OperatorFault the address space limit of this process is too low
 */
export function requireAddressSpace(path: string, mapBytes: number): void {
  const { addressSpaceBytes } = processLimits();
  if (addressSpaceBytes === Number.POSITIVE_INFINITY || isMapped(path)) return;
  const usedKib = Number(/^VmSize:\s+(\d+) kB$/m.exec(ofThisProcess('status'))?.[1] ?? 0);
  const leftBytes = addressSpaceBytes - usedKib * 1024;
  if (leftBytes >= mapBytes) return;
  throw new OperatorFault(
    `${path} takes ${inGib(mapBytes)} GiB of address space (not of memory), and the limit of this process, ${inGib(addressSpaceBytes)} GiB, leaves ${inGib(leftBytes)}: ulimit -v unlimited, or LimitAS=infinity of systemd`,
    EXIT.failed,
  );
}

function inGib(bytes: number): string {
  return (bytes / 1024 ** 3).toFixed(1).replace('.0', '');
}
