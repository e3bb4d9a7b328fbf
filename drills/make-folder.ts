import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { EXIT, OperatorFault } from '../src/model/fault.js';

/**
 * Creates a folder and the folders above it. Not by `recursive: true`, which never returns on file systems that take no
 * folders, such as /proc.
 *
 * @param what names the option in an error: `story: --out`
 * @param folder absolute
 * @returns the uppermost folder that was created; null if it was there
 * @throws OperatorFault it cannot be created
 */
export function makeFolder(what: string, folder: string): string | null {
  const parent = dirname(folder);
  const above = parent === folder || existsSync(parent) ? null : makeFolder(what, parent);
  try {
    mkdirSync(folder);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return above;
    throw new OperatorFault(`${what} ${folder}: ${message}`, EXIT.failed);
  }
  return above ?? folder;
}
