import { readFile } from 'node:fs/promises';

/** proc(5): times are in ticks of USER_HZ, a hundredth of a second. */
const TICKS_A_SECOND = 100;
/** /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal; what follows is counted in user already. */
const STEAL = 7;

/** User and system time that the process has used so far, its threads included. NaN where there is no /proc. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // Behind the name in brackets; fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

/** The most memory that the process has held so far. NaN where there is no /proc. */
export async function residentMaxMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) / 1024;
}

export interface MachineTicks {
  readonly steal: number;
  readonly all: number;
}

/** Of all cores since the machine was started. NaN where there is no /proc. */
export async function machineTicks(): Promise<MachineTicks> {
  const stat = await readFile('/proc/stat', 'utf8').catch(() => '');
  const ticks = stat
    .split('\n')[0]!
    .trim()
    .split(/\s+/)
    .slice(1, STEAL + 2)
    .map(Number);
  return { steal: ticks[STEAL] ?? Number.NaN, all: ticks.reduce((a, b) => a + b, 0) };
}
