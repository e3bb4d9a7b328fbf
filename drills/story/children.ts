import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long a process may take to end in order before it is killed. */
const END_MS_MAX = 15_000;

/** The processes that this one has started: none outlives it. */
export class Children {
  readonly #running = new Set<ChildProcess>();

  constructor() {
    process.on('exit', this.#killAll);
  }

  /** Like `spawn`, with stdout and stderr as pipes. */
  start(program: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#running.add(child);
    child.once('close', () => this.#running.delete(child));
    // A program that can't be started: `close` comes too, with a code that is not 0.
    child.once('error', () => this.#running.delete(child));
    return child;
  }

  /** Asks all of them to end, and kills those that do not. */
  async endAll(): Promise<void> {
    await Promise.all(Array.from(this.#running, (child) => end(child)));
    process.off('exit', this.#killAll);
  }

  readonly #killAll = (): void => {
    for (const child of this.#running) child.kill('SIGKILL');
  };
}

/** @returns its exit code, or null when it had to be killed */
export async function end(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  const patience = new AbortController();
  const late = sleep(END_MS_MAX, undefined, { signal: patience.signal }).catch(() => {});
  await Promise.race([closed, late]);
  patience.abort();
  if (child.exitCode === null) child.kill('SIGKILL');
  await closed;
  return child.exitCode;
}
