import type { RunningContestant } from '../contestants/contestant.js';
import { residentMaxMb } from '../harness/process-figures.js';

/** The most resident memory so far, in MB. */
export interface Memory {
  readonly serverMb: number;
  readonly behindMb: number;
}

export async function memoryOf({ pid, behind }: RunningContestant): Promise<Memory> {
  const others = await Promise.all(Object.values(behind).map(residentMaxMb));
  return { serverMb: await residentMaxMb(pid), behindMb: others.reduce((sum, mb) => sum + mb, 0) };
}
