import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, OperatorFault } from '../../src/model/fault.js';

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

const CHARS_MAX = 16 * 1024;

/** The last of what a process has printed: it is read so that the process does not stall. */
export class Said {
  #text = '';

  constructor(child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#text = (this.#text + text).slice(-CHARS_MAX);
      });
    }
  }

  get text(): string {
    return this.#text;
  }

  /** For a message of one line. */
  get lastLine(): string {
    return this.#text.trim().split('\n').at(-1) || 'it said nothing';
  }
}

/** What a story leaves nothing of: the processes that it starts, and the folder for their files. */
export class Workplace {
  readonly children = new Children();
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** @throws OperatorFault there can be no temporary folder */
  static async open(): Promise<Workplace> {
    try {
      const folder = await mkdtemp(join(tmpdir(), 'forebay-story-'));
      leaveNothingBehind(folder);
      return new Workplace(folder);
    } catch (error) {
      const why = (error as Error).message;
      throw new OperatorFault(`story: no temporary folder (TMPDIR): ${why}`, EXIT.failed);
    }
  }

  async close(): Promise<void> {
    await this.children.endAll();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** In the environment of this process, and so of all that it starts, and of what they start. */
const MARK = 'STARTED_UNDER';

/**
 * Waits for the end of its input, which comes however this process ends; then kills whoever carries the mark and removes
 * the folder. More than once, for what is killed may just have started another.
 */
const SCRIPT = `
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
 * For a process that starts others and must leave none behind, though it be killed: from now on a shell watches over it.
 * Linux only. To be called before anything is started.
 *
 * @param folder to be removed as well, where there is one
 */
export function leaveNothingBehind(folder = ''): void {
  const mark = randomUUID();
  // In a session of its own: what ends this one, such as a closed terminal, does not end it.
  const watch = spawn('sh', ['-c', SCRIPT, 'sh', `${MARK}=${mark}`], {
    env: { PATH: process.env.PATH, FOLDER: folder },
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // Without a shell all is as it would be without the watch.
  watch.once('error', () => {});
  watch.unref();
  (watch.stdin as unknown as { unref(): void }).unref();
  process.env[MARK] = mark;
}
