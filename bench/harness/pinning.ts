import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import type { Pin } from './bench-options.js';

const run = promisify(execFile);

export interface Pinning {
  /** The core of wrk; undefined: any. */
  readonly core: number | undefined;
  /** How many cores the servers may use. */
  readonly serverCores: number;
  /** Description for the report. */
  readonly text: string;
  /** Why wrk has no core of its own; empty if it has. */
  readonly fault: string;
}

const ANYWHERE = {
  core: undefined,
  serverCores: availableParallelism(),
  text: 'generator and servers on any core',
  fault: '',
};

/**
 * Reserves the first core that this process may use for wrk. For `apart` this process leaves that core, and so do the
 * servers, which inherit its affinity.
 */
export async function pin(how: Pin): Promise<Pinning> {
  if (how === 'none') return ANYWHERE;
  const cores = await allowedCores();
  const [core, ...others] = cores;
  if (core === undefined || others.length === 0) return unpinned('there is only one core');
  const failure = await failureOf('taskset', ['--cpu-list', `${core}`, 'true']);
  if (failure !== null) return unpinned(`taskset is missing (package util-linux): ${failure}`);
  if (how === 'generator') {
    const text = `generator on core ${core}, servers on any core`;
    return { core, serverCores: cores.length, text, fault: '' };
  }
  const rest = others.join(',');
  await run('taskset', ['--all-tasks', '--cpu-list', '--pid', rest, `${process.pid}`]);
  const text = `generator on core ${core}, servers on ${rest}`;
  return { core, serverCores: others.length, text, fault: '' };
}

function unpinned(why: string): Pinning {
  return { ...ANYWHERE, fault: `wrk had no core of its own: ${why}` };
}

async function failureOf(file: string, args: readonly string[]): Promise<string | null> {
  return run(file, args).then(
    () => null,
    (error: Error) => error.message.split('\n')[0]!,
  );
}

/** The cores that a container or taskset allows this process. Empty if this is not Linux. */
async function allowedCores(): Promise<number[]> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1];
  return list === undefined ? [] : coresOf(list);
}

/** The kernel's list format: `0-2,5` is 0, 1, 2 and 5. */
export function coresOf(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number) as [number, number?];
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}
