import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { HANG_MS_MAX } from './deadline.js';

/** Whether tests may use programs other than nats-server: `npm test` alone does without them (scripts/test.mjs). */
export const RUNS_ALL = process.env.FOREBAY_TEST_ALL === '1';

export interface ProgramOptions {
  /** Where its stdout and stderr go. */
  readonly log: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A program that runs until it is stopped; it ends with this process. */
export class Program {
  readonly #file: string;
  readonly #log: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;

  constructor(file: string, args: readonly string[], { log, cwd, env = {} }: ProgramOptions) {
    this.#file = file;
    this.#log = log;
    const out = openSync(log, 'a');
    this.#child = spawn(file, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', out, out],
      ...(cwd === undefined ? {} : { cwd }),
    });
    closeSync(out);
    const killOnExit = () => this.#child.kill('SIGKILL');
    process.once('exit', killOnExit);
    this.#exited = new Promise((resolve) => {
      const ended = () => {
        process.removeListener('exit', killOnExit);
        resolve();
      };
      this.#child.once('exit', ended);
      this.#child.once('error', ended);
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** @returns its exit code, null when it had to be killed */
  async stop(): Promise<number | null> {
    if (this.isRunning) {
      this.signal('SIGCONT');
      this.signal('SIGTERM');
      const timer = setTimeout(() => this.signal('SIGKILL'), HANG_MS_MAX);
      await this.#exited;
      clearTimeout(timer);
    }
    return this.#child.exitCode;
  }

  /** Waits until `answers` says yes. @throws Error with its log, when it ends or two minutes pass before */
  async ready(answers: () => Promise<boolean>): Promise<void> {
    const deadlineMs = performance.now() + HANG_MS_MAX;
    while (!(await answers().catch(() => false))) {
      if (!this.isRunning || performance.now() > deadlineMs) {
        throw new Error(`${this.#file} is not ready:\n${readFileSync(this.#log, 'utf8')}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** The path of a program of scripts/tools/catalogue.mjs, installed if it is missing. @throws Error that says how to get it */
export async function toolPath(name: string): Promise<string> {
  // From dist/test/support: the script lies outside what is compiled.
  const tools = await import(new URL('../../../scripts/tools.mjs', import.meta.url).href);
  return tools.ensureTool(name);
}
