import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HANG_MS_MAX, withDeadline } from './deadline.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));

/** Ends what a test started when the test is over, also when it failed. The context of node:test is one. */
export interface Owner {
  after(end: () => Promise<void>): void;
}

export interface StartOptions {
  readonly owner?: Owner;
  /** Kept afterwards; by default a temporary folder, removed when the process is stopped or killed. */
  readonly data?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A command that runs the server in its place, such as prlimit with its arguments. */
  readonly under?: readonly string[];
}

export interface Ended {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Starts the built server and waits until it says that it is ready. It listens on free ports and
 * keeps its data in a temporary folder, unless the flags say otherwise.
 *
 * @throws Error with all that it printed, when it ends or two minutes pass before that
 */
export async function startForebay(
  flags: readonly string[] = [],
  options: StartOptions = {},
): Promise<ForebayProcess> {
  const data = options.data ?? (await mkdtemp(join(tmpdir(), 'forebay-')));
  const args = ['serve', ...defaults({ '--data': data }, flags), ...flags];
  const startedMs = performance.now();
  const child = spawnForebay(args, options.env, options.under);
  const forebay = new ForebayProcess(child, data, options.data === undefined);
  options.owner?.after(() => forebay.kill9());
  try {
    await forebay.ready();
  } catch (error) {
    await forebay.kill9();
    throw error;
  }
  forebay.readyAfterMs = performance.now() - startedMs;
  return forebay;
}

/**
 * Runs the forebay command to its end.
 * After 2 minutes it is killed, which shows as the signal SIGKILL.
 */
export async function runForebay(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  under: readonly string[] = [],
): Promise<Ended> {
  const child = spawnForebay(args, env, under);
  const output = collect(child);
  const deadline = setTimeout(() => child.kill('SIGKILL'), HANG_MS_MAX);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(deadline);
  return { code, signal, stdout: output.stdout, stderr: output.stderr };
}

/** One running server. */
export class ForebayProcess {
  readonly pid: number;
  readonly data: string;
  /** Where orders are posted, without a path. */
  url = '';
  /** Where /metrics, /healthz and /readyz are. */
  adminUrl = '';
  /** Milliseconds from the start of the process to its ready line. */
  readyAfterMs = 0;
  /** Resolves with the exit code, or null when a signal ended it. */
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #output: Output;
  readonly #ownsData: boolean;

  constructor(child: ChildProcess, data: string, ownsData: boolean) {
    this.#child = child;
    this.#output = collect(child);
    this.#ownsData = ownsData;
    this.pid = child.pid!;
    this.data = data;
    this.exited = once(child, 'close').then(([code]) => code as number | null);
  }

  get stdout(): string {
    return this.#output.stdout;
  }

  get stderr(): string {
    return this.#output.stderr;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks it to end in order. @returns its exit code. @throws Error when it does not end in two minutes */
  async stop(): Promise<number | null> {
    this.signal('SIGTERM');
    try {
      return await withDeadline(this.exited, () => `forebay stops\n${this.stdout}${this.stderr}`);
    } finally {
      await this.kill9();
    }
  }

  /** Ends it at once, as a crash would. */
  async kill9(): Promise<void> {
    this.signal('SIGKILL');
    await withDeadline(this.exited, 'forebay ends after SIGKILL');
    await this.#removeData();
  }

  /** Waits for the ready line and takes the URLs from it. What was logged before it is in `stderr` then. */
  async ready(): Promise<void> {
    const line = new Promise<void>((resolve) => {
      const look = () => {
        if (this.#readUrls()) resolve();
      };
      this.#child.stdout!.on('data', look);
      look();
    });
    const output = () => `${this.stdout}${this.stderr}`;
    const ended = this.exited.then((code) => {
      throw new Error(`forebay ended with code ${code} before it was ready:\n${output()}`);
    });
    await withDeadline(Promise.race([line, ended]), () => `forebay is ready\n${output()}`);
    // The pipe of stdout may be read first.
    await new Promise((resolve) => setImmediate(resolve));
  }

  #readUrls(): boolean {
    const line = /^forebay ready: orders (\S+) metrics (\S+)\s/m.exec(this.stdout);
    if (line === null) return false;
    // The server may listen on every address, but a client cannot connect to 0.0.0.0.
    this.url = line[1]!.replace('0.0.0.0', '127.0.0.1');
    this.adminUrl = line[2]!.replace('0.0.0.0', '127.0.0.1');
    return true;
  }

  async #removeData(): Promise<void> {
    if (this.#ownsData) await rm(this.data, { recursive: true, force: true });
  }
}

interface Output {
  stdout: string;
  stderr: string;
}

/** Children that are running: all end with this process. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
// node:test ends a file that takes too long with SIGTERM, and the children must end with it.
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    // Another listener ends the process in its own way.
    if (process.listenerCount(signal) === 0) process.exit(1);
  });
}

function spawnForebay(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  under: readonly string[] = [],
) {
  const [program, ...rest] = [...under, process.execPath, MAIN, ...args];
  const child = spawn(program!, rest, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('close', () => running.delete(child));
  return child;
}

function collect(child: ChildProcess): Output {
  const output = { stdout: '', stderr: '' };
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  return output;
}

/**
 * The flags a test server starts with, without those that are given. An order waits for its handler, the disk or NATS, which on
 * a busy machine can take longer than the default of `--commit-ms-max`. With NATS, the spool takes over after half that time.
 * A stop has more time too; with NATS away, it would use half of that. Benchmarks, which are not run by node:test, measure with
 * the defaults.
 */
function defaults(more: Readonly<Record<string, string>>, flags: readonly string[]): string[] {
  const wanted = { '--host': '127.0.0.1', '--port': '0', '--admin-port': '0', ...more };
  const isTest = process.env.NODE_TEST_CONTEXT !== undefined;
  const hasNats = flags.some((flag) => flag.startsWith('--nats'));
  if (flags.includes('direct') || isTest) {
    Object.assign(wanted, { '--commit-ms-max': hasNats ? '10000' : '60000' });
  }
  if (isTest && !hasNats) Object.assign(wanted, { '--shutdown-ms-max': '30000' });
  return Object.entries(wanted)
    .filter(([name]) => !flags.some((flag) => flag === name || flag.startsWith(`${name}=`)))
    .flat();
}
