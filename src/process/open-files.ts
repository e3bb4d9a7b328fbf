/**
 * What to do if the process has no descriptor left, for example to load its code; null for another error. The limit itself
 * is checked at the start, see options/process-limits.ts; this is for one that is too low even for that.
 */
export function openFilesFault(error: unknown): string | null {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'EMFILE' && code !== 'ENFILE') return null;
  const limit = code === 'EMFILE' ? 'the limit of open files' : "the system's limit of open files";
  return `${limit} is too low: ${message}; fix: ulimit -n 65536, or LimitNOFILE=65536 of systemd`;
}
