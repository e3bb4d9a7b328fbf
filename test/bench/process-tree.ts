import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const GONE_MS_MAX = 10_000;

/** These processes and all their descendants. Linux only. */
export function withDescendants(pids: readonly number[]): number[] {
  return pids.flatMap((pid) => [pid, ...withDescendants(childrenOf(pid))]);
}

function childrenOf(pid: number): number[] {
  const tasks = `/proc/${pid}/task`;
  try {
    return readdirSync(tasks).flatMap((task) =>
      readFileSync(`${tasks}/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    // The process or the thread has ended.
    return [];
  }
}

/** @returns those that still run after some time: children may end a moment after their parent */
export async function stillRunning(pids: readonly number[]): Promise<number[]> {
  const deadlineMs = performance.now() + GONE_MS_MAX;
  for (;;) {
    const running = pids.filter(isRunning);
    if (running.length === 0 || performance.now() > deadlineMs) return running;
    await sleep(50);
  }
}

/** Kills those that still run, after a failed test. */
export function endAll(pids: readonly number[]): void {
  for (const pid of pids.filter(isRunning)) process.kill(pid, 'SIGKILL');
}

/** A zombie does not count as running: it holds no resources. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
