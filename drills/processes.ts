import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, OperatorFault } from '../src/model/fault.js';

/** How long a process may take to end in order before it is killed. */
const END_MS_MAX = 15_000;
const OUTPUT_CHARS_MAX = 16 * 1024;

/** In the environment of this process, and so of all processes that it starts, directly or not. */
const MARK = 'STARTED_UNDER';

/**
 * Waits for the end of its input, which comes however this process ends; then kills every process that carries the mark
 * and removes the folder. Three times, because a process that is killed may just have started another.
 */
const CLEAN_UP = `
trap '' HUP INT TERM
read -r _
for again in 1 2 3; do
  for file in $(grep -lsxz -e "$1" /proc/[0-9]*/environ); do
    pid=\${file#/proc/}
    kill -9 "\${pid%/environ}"
  done
done
if [ -n "$FOLDER" ]; then rm -rf "$FOLDER"; fi
`;

/**
 * From now on, a shell cleans up after this process, even when it is killed. Linux only. To be called before any other
 * process is started.
 *
 * @param folder to be removed as well; none when empty
 */
export function leaveNothingBehind(folder = ''): void {
  const mark = randomUUID();
  // In a session of its own: a closed terminal ends this process, but not the shell.
  const shell = spawn('sh', ['-c', CLEAN_UP, 'sh', `${MARK}=${mark}`], {
    env: { PATH: process.env.PATH, FOLDER: folder },
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // Where there is no shell, nothing cleans up, and everything else works.
  shell.once('error', () => {});
  shell.unref();
  (shell.stdin as unknown as { unref(): void }).unref();
  process.env[MARK] = mark;
}

/** The processes that a drill starts and the folder for their files: all gone when it ends. */
export class Workspace {
  /** Name of the drill, for messages. */
  readonly command: string;
  readonly folder: string;
  readonly #running = new Set<ChildProcess>();

  private constructor(command: string, folder: string) {
    this.command = command;
    this.folder = folder;
    process.on('exit', this.#killAll);
  }

  /**
   * @param place where its folder is made, as a folder and what says so; empty: where temporary folders are
   * @throws OperatorFault no folder can be made there
   */
  static async open(command: string, place = { folder: '', option: '' }): Promise<Workspace> {
    const { folder: parent, option } = place;
    try {
      const folder = await mkdtemp(join(parent || tmpdir(), `forebay-${command}-`));
      leaveNothingBehind(folder);
      return new Workspace(command, folder);
    } catch (error) {
      const why = (error as Error).message;
      const where = option === '' ? 'no temporary folder (TMPDIR)' : `${option} ${parent}`;
      throw new OperatorFault(`${command}: ${where}: ${why}`, EXIT.failed);
    }
  }

  /** Like `spawn`, with stdout and stderr as pipes. */
  start(program: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#running.add(child);
    child.once('close', () => this.#running.delete(child));
    // A program that cannot be started: `close` comes too, with a code that is not 0.
    child.once('error', () => this.#running.delete(child));
    return child;
  }

  /** Ends all processes, and removes the folder. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#running, (child) => endProcess(child)));
    process.off('exit', this.#killAll);
    await rm(this.folder, { recursive: true, force: true });
  }

  readonly #killAll = (): void => {
    for (const child of this.#running) child.kill('SIGKILL');
  };
}

/** Asks a process to end, and kills it when it does not. @returns its exit code, or null when it was killed */
export async function endProcess(child: ChildProcess): Promise<number | null> {
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

/** The last of what a process has printed. It must be read, or the process stalls. */
export class ProcessOutput {
  #text = '';

  constructor(child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#text = (this.#text + text).slice(-OUTPUT_CHARS_MAX);
      });
    }
  }

  get text(): string {
    return this.#text;
  }

  /** For a message of one line. */
  get lastLine(): string {
    return this.#text.trim().split('\n').at(-1) || 'no output';
  }
}
