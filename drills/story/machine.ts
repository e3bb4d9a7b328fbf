import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';

/** Where it was measured: figures mean little without it. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  /** Of one minute, before the story began: what else was going on. */
  readonly loadAverage: number;
}

const BYTES_PER_GB = 1024 ** 3;

export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() || 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round((totalmem() / BYTES_PER_GB) * 10) / 10,
    system: `${type()} ${release()}`,
    node: process.versions.node,
    loadAverage: Math.round(loadavg()[0]! * 100) / 100,
  };
}
