import { readFileSync } from 'node:fs';

/** Under a lower limit, Node can run out of descriptors while it loads Forebay's modules. */
const OPEN_FILES_TO_LOAD = 256;

/**
 * What to do if the process has no descriptor left, for example to load its code; null for another error. The limit itself
 * is checked at the start, see options/process-limits.ts; this is for one that is too low even for that.
 */
export function openFilesFault(error: unknown): string | null {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'EMFILE' && code !== 'ENFILE' && !isUnreadPackage(code)) return null;
  const limit = code === 'ENFILE' ? "the system's limit of open files" : 'the limit of open files';
  return `${limit} is too low: ${message}; fix: ulimit -n 65536, or LimitNOFILE=65536 of systemd`;
}

/** Node reports a package as missing if it has no descriptor left to read its package.json. */
function isUnreadPackage(code: string | undefined): boolean {
  if (code !== 'ERR_MODULE_NOT_FOUND') return false;
  try {
    const limits = readFileSync('/proc/self/limits', 'latin1');
    return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1]) < OPEN_FILES_TO_LOAD;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EMFILE';
  }
}
