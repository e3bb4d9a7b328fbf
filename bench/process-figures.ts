/** What /proc says about processes and the machine. Linux only: elsewhere figures are NaN, except those of threads. */
import { readdirSync, readFileSync } from 'node:fs';

/** Times in proc(5) are in ticks of USER_HZ, 1/100 s. */
const TICKS_PER_SECOND = 100;
/** Column of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal. Guest time, after these, is part of user. */
const STEAL_COLUMN = 7;
const IDLE_COLUMNS = [3, 4];
const NS_PER_MS = 1e6;

/** User and system time of a process and its threads so far. */
export function cpuSeconds(pid: number): number {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  // Fields 14 and 15. The name in field 2 may contain spaces, so count from its closing bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Peak resident memory of a process. */
export function residentMaxMb(pid: number): number {
  const status = readOrEmpty(`/proc/${pid}/status`);
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) / 1024;
}

export interface MachineTicks {
  readonly steal: number;
  /** Used by any process, or by the kernel. */
  readonly busy: number;
  readonly all: number;
}

/** Ticks of all cores since boot. */
export function machineTicks(): MachineTicks {
  const ticks = readOrEmpty('/proc/stat')
    .split('\n')[0]!
    .trim()
    .split(/\s+/)
    .slice(1, STEAL_COLUMN + 2)
    .map(Number);
  const steal = ticks[STEAL_COLUMN] ?? Number.NaN;
  const all = ticks.reduce((a, b) => a + b, 0);
  const idle = IDLE_COLUMNS.reduce((sum, column) => sum + (ticks[column] ?? 0), 0);
  return { steal, busy: all - idle - steal, all };
}

export interface ThreadCpu {
  readonly mainMs: number;
  /** 0 in a process without such a thread. */
  readonly drainMs: number;
  /** All threads that are alive. */
  readonly allMs: number;
}

/** CPU time that the threads of a process have used so far; the first field of schedstat, see proc(5). */
export function threadCpuMs(pid: number): ThreadCpu {
  let mainMs = 0;
  let drainMs = 0;
  let allMs = 0;
  for (const tid of readdirSync(`/proc/${pid}/task`)) {
    // Empty for a thread that has ended since the folder was listed.
    const ms = Number(readOrEmpty(`/proc/${pid}/task/${tid}/schedstat`).split(' ')[0]) / NS_PER_MS;
    if (Number(tid) === pid) mainMs = ms;
    if (readOrEmpty(`/proc/${pid}/task/${tid}/comm`).trim() === 'forebay-drain') drainMs = ms;
    allMs += ms;
  }
  return { mainMs, drainMs, allMs };
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
