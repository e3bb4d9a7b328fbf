import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import type { MachineFacts } from './cores.js';

/** Where Linux shows a container its limits (cgroup v2). */
const CGROUP = '/sys/fs/cgroup';

export function inspectMachine(): MachineFacts {
  const [quota, period] = read(join(CGROUP, 'cpu.max')).split(' ').map(Number);
  const coresQuota = quota! > 0 && period! > 0 ? quota! / period! : null;
  const memoryMax = Number(read(join(CGROUP, 'memory.max')));
  const memoryBytes = memoryMax > 0 ? Math.min(memoryMax, totalmem()) : totalmem();
  return { cores: availableParallelism(), coresQuota, memoryBytes };
}

/** The limits of this process as the kernel writes them; empty where that is not Linux. */
export function limitsText(): string {
  return read('/proc/self/limits');
}

/** The version of a package as it is installed, whatever name it was published under. */
export function installedVersion(name: string): string {
  const places = createRequire(import.meta.url).resolve.paths(name) ?? [];
  for (const place of places) {
    const text = read(join(place, name, 'package.json'));
    if (text !== '') return (JSON.parse(text) as { version: string }).version;
  }
  return 'missing';
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
