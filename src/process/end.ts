import { closeSync, writeFileSync } from 'node:fs';

const STDERR = 2;
/** Exit code of a process that SIGKILL ended, as a shell reports it. */
const EXIT_KILLED = 137;

/** Since Node 22.15. @see https://nodejs.org/api/process.html#processexecvefile-args-env */
type Execve = (file: string, args: readonly string[], env: object) => never;

/**
 * Ends the process at once, whatever its threads do. `process.exit` cannot: it waits for threads, and a handler may
 * never yield. The kernel discards what process 1 of a container sends to itself, SIGKILL included. There, replacing
 * the program ends all threads. Node before 22.15 cannot do that: a fault of the processor ends it, which the kernel
 * does not discard.
 */
export function endAtOnce(): never {
  process.kill(process.pid, 'SIGKILL');
  const { execve } = process as unknown as { readonly execve?: Execve };
  const node = process.execPath;
  execve?.(node, [node, '-e', `process.exit(${EXIT_KILLED})`], {});
  try {
    // No core file in the current folder, no memory in one elsewhere, and no native stack on stderr.
    process.chdir('/proc');
    writeFileSync('/proc/self/coredump_filter', '0');
    closeSync(STDERR);
  } catch {
    // This only spares the operator.
  }
  process.abort();
}
