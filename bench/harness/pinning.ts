import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Pin } from './bench-options.js';

const run = promisify(execFile);

export interface Pinning {
  /** The generator's; undefined: wherever the system puts it. */
  readonly core: number | undefined;
  /** In words, for the report. */
  readonly text: string;
  /** Why it is not as it was asked for; empty where it is. */
  readonly fault: string;
}

const ANYWHERE = { core: undefined, text: 'generator and servers on any core', fault: '' };

/**
 * Gives the generator the first core that this process may use. For `apart` this process leaves that core, and all
 * servers with it, since they inherit it.
 */
export async function pin(how: Pin): Promise<Pinning> {
  if (how === 'none') return ANYWHERE;
  const cores = await allowedCores();
  const [core, ...others] = cores;
  if (core === undefined || others.length === 0) return unpinned('there is one core only');
  const failure = await failureOf('taskset', ['--cpu-list', `${core}`, 'true']);
  if (failure !== null) return unpinned(`no taskset here (it comes with util-linux): ${failure}`);
  if (how === 'generator') {
    return { core, text: `generator on core ${core}, servers on any core`, fault: '' };
  }
  const rest = others.join(',');
  await run('taskset', ['--all-tasks', '--cpu-list', '--pid', rest, `${process.pid}`]);
  return { core, text: `generator on core ${core}, servers on ${rest}`, fault: '' };
}

function unpinned(why: string): Pinning {
  return { ...ANYWHERE, fault: `the generator has no core of its own: ${why}` };
}

async function failureOf(file: string, args: readonly string[]): Promise<string | null> {
  return run(file, args).then(
    () => null,
    (error: Error) => error.message.split('\n')[0]!,
  );
}

/** Fewer than the machine has where a container or taskset says so. None where it is not Linux. */
async function allowedCores(): Promise<number[]> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1];
  return list === undefined ? [] : coresOf(list);
}

/** `0-2,5` is 0, 1, 2 and 5. */
export function coresOf(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number) as [number, number?];
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}
