import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { natsProgram } from '../../test/support/nats.js';

/** The machine and the versions of a measurement. */
export interface Machine {
  readonly date: string;
  readonly model: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly node: string;
  readonly forebay: string;
  readonly natsServer: string;
}

export async function machine(): Promise<Machine> {
  const { stdout } = await promisify(execFile)(await natsProgram('nats-server'), ['--version']);
  const manifest = new URL('../../../package.json', import.meta.url);
  return {
    date: new Date().toISOString().slice(0, 10),
    model: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    forebay: JSON.parse(readFileSync(manifest, 'utf8')).version,
    natsServer: stdout.trim().replace(/^nats-server:\s*/, ''),
  };
}

export function machineLine({ date, cores, model, node, natsServer, kernel }: Machine): string {
  return `${date}, ${cores} cores (${model}), Linux ${kernel}, Node ${node}, nats-server ${natsServer}`;
}

/**
 * Moves this process, and the servers that it starts later, off the core that the generator spins on. Otherwise the generator
 * and the servers would compete for that core, and the figures would show that.
 *
 * @returns the generator's core, the last one
 * @throws Error if that is not possible here
 */
export function reserveGeneratorCore(): { readonly core: number; readonly serverCores: string } {
  const cores = availableParallelism();
  if (process.platform !== 'linux' || cores < 2) {
    throw new Error(
      `${process.platform} with ${cores} core(s): needs Linux and 2 cores, one for the generator`,
    );
  }
  const core = cores - 1;
  const serverCores = core === 1 ? '0' : `0-${core - 1}`;
  try {
    execFileSync('taskset', ['-a', '-c', '-p', serverCores, `${process.pid}`], { stdio: 'ignore' });
  } catch {
    throw new Error(
      `taskset -c ${serverCores} failed: install util-linux, and allow this process all cores`,
    );
  }
  return { core, serverCores };
}
