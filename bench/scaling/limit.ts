import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';
const PERIOD_US = 20_000;
let groups = 0;

export interface CpuLimit {
  /** After its processes have ended. */
  remove(): void;
}

/**
 * Puts processes into a control group that may use `cpus` cores' worth of time together. Needs root. Version 2 of control
 * groups, or the controller `cpu` of version 1.
 *
 * @throws Error if this machine does not allow it
 */
export function limitCpus(cpus: number | null, pids: readonly number[]): CpuLimit {
  if (cpus === null) return { remove: () => {} };
  const isV2 = existsSync(join(ROOT, 'cgroup.controllers'));
  const group = join(ROOT, isV2 ? '' : 'cpu', `forebay-bench-${process.pid}-${groups++}`);
  const set = (file: string, value: string | number) =>
    writeFileSync(join(group, file), `${value}`);
  if (isV2) writeFileSync(join(ROOT, 'cgroup.subtree_control'), '+cpu');
  mkdirSync(group, { recursive: true });
  const quotaUs = Math.round(cpus * PERIOD_US);
  if (isV2) set('cpu.max', `${quotaUs} ${PERIOD_US}`);
  else {
    set('cpu.cfs_period_us', PERIOD_US);
    set('cpu.cfs_quota_us', quotaUs);
  }
  for (const pid of pids) set('cgroup.procs', pid);
  return { remove: () => rmdirSync(group) };
}
