import { readFileSync } from 'node:fs';
import type { RunningContestant } from '../contestants/contestant.js';

/** The most resident memory so far (VmHWM), in MB. */
export interface Memory {
  readonly serverMb: number;
  readonly behindMb: number;
}

export function memoryOf({ pid, behind }: RunningContestant): Memory {
  const behindMb = Object.values(behind).reduce((sum, other) => sum + mostMb(other), 0);
  return { serverMb: mostMb(pid), behindMb };
}

function mostMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)![1]) / 1024;
}
