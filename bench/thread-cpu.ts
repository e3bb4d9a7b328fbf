import { readdirSync, readFileSync } from 'node:fs';

const NS_PER_MS = 1e6;

export interface ThreadCpu {
  readonly mainMs: number;
  /** All threads that are alive. */
  readonly allMs: number;
  /** By the thread's id in the operating system. */
  readonly byThreadMs: ReadonlyMap<number, number>;
}

/** CPU time that the threads of a process have used so far; proc(5): the first field of schedstat. Linux only. */
export function threadCpuMs(pid: number): ThreadCpu {
  const byThreadMs = new Map<number, number>();
  for (const name of readdirSync(`/proc/${pid}/task`)) {
    const stat = statOf(`/proc/${pid}/task/${name}/schedstat`);
    if (stat !== '') byThreadMs.set(Number(name), Number(stat.split(' ')[0]) / NS_PER_MS);
  }
  const allMs = [...byThreadMs.values()].reduce((sum, ms) => sum + ms, 0);
  return { mainMs: byThreadMs.get(pid) ?? 0, allMs, byThreadMs };
}

/** Empty for a thread that has ended meanwhile. */
function statOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
