import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const GONE_MS_MAX = 10_000;

/** These processes and all that they started, and so on; Linux only. */
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
    // It, or a thread of it, has ended meanwhile.
    return [];
  }
}

/** @returns those that still run after a while: what a process leaves behind ends a moment after it */
export async function stillRunning(pids: readonly number[]): Promise<number[]> {
  const deadlineMs = performance.now() + GONE_MS_MAX;
  for (;;) {
    const running = pids.filter(isRunning);
    if (running.length === 0 || performance.now() > deadlineMs) return running;
    await sleep(50);
  }
}

/** Ends those that a test which failed has left. */
export function endAll(pids: readonly number[]): void {
  for (const pid of pids.filter(isRunning)) process.kill(pid, 'SIGKILL');
}

/** A zombie whose parent does not look after it holds nothing any more. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
