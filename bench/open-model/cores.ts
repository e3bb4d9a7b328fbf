import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/**
 * Takes this process off the core that the generator spins on, and so every server that it starts after: the generator
 * must not wait for a core, nor a server be driven off its own by it.
 *
 * @returns the generator's core, the last one
 * @throws Error where that can't be done: what is measured then is how the two fight over cores
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
