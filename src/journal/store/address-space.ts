import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { EXIT, OperatorFault } from '../../model/fault.js';

/**
 * LMDB maps a file in full, up to the size that it may grow to. Where it gets no such piece of address space, lmdb 3.5.6
 * ends the process by SIGSEGV, so it must not be asked.
 *
 * @throws OperatorFault the limit of this process leaves less than that
 */
export function requireAddressSpace(path: string, mapBytes: number): void {
  const { addressSpaceBytes } = parseLimits(ofThisProcess('limits'));
  if (addressSpaceBytes === Number.POSITIVE_INFINITY || isMapped(path)) return;
  const usedKib = Number(/^VmSize:\s+(\d+) kB$/m.exec(ofThisProcess('status'))?.[1] ?? 0);
  const leftBytes = addressSpaceBytes - usedKib * 1024;
  if (leftBytes >= mapBytes) return;
  throw new OperatorFault(
    `${path} takes ${inGib(mapBytes)} GiB of address space (not of memory), and the limit of this process, ${inGib(addressSpaceBytes)} GiB, leaves ${inGib(leftBytes)}: ulimit -v unlimited, or LimitAS=infinity of systemd`,
    EXIT.failed,
  );
}

/** Another thread has opened it: all share one map. */
function isMapped(path: string): boolean {
  return existsSync(path) && ofThisProcess('maps').includes(` ${realpathSync(path)}\n`);
}

/** Empty where it is not Linux. */
function ofThisProcess(file: 'limits' | 'status' | 'maps'): string {
  try {
    return readFileSync(`/proc/self/${file}`, 'latin1');
  } catch {
    return '';
  }
}

function inGib(bytes: number): string {
  return (bytes / 1024 ** 3).toFixed(1).replace('.0', '');
}

/** Resource limits of this process; Infinity is none. */
export interface ResourceLimits {
  readonly openFiles: number;
  readonly addressSpaceBytes: number;
}

/** @param text /proc/self/limits, see proc(5); empty where that is not there: no limits */
export function parseLimits(text: string): ResourceLimits {
  const soft = (name: string) => {
    const value = new RegExp(`^${name}\\s+(\\S+)`, 'm').exec(text)?.[1];
    return value === undefined || value === 'unlimited' ? Number.POSITIVE_INFINITY : Number(value);
  };
  return { openFiles: soft('Max open files'), addressSpaceBytes: soft('Max address space') };
}
