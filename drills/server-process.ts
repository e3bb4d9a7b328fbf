import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { EXIT, OperatorFault } from '../src/model/fault.js';
import { endProcess, ProcessOutput, type Workspace } from './processes.js';

const MAIN = fileURLToPath(new URL('../src/main.js', import.meta.url));
const READY_MS_MAX = 60_000;
const POLL_MS = 20;
/** On free ports of the loopback. The log is quiet; its end is shown when the server fails. */
const LOOPBACK = ['--host', '127.0.0.1', '--admin-port', '0', '--log-level', 'warn'];

/** A Forebay server that a drill starts. */
export class ServerProcess {
  readonly url: string;
  readonly adminUrl: string;
  /** Rejects with an OperatorFault when the server ends before it is stopped. */
  readonly died: Promise<never>;
  readonly #command: string;
  readonly #child: ChildProcess;
  #isStopping = false;

  private constructor(
    command: string,
    child: ChildProcess,
    output: ProcessOutput,
    urls: readonly [string, string],
  ) {
    this.#command = command;
    this.#child = child;
    [this.url, this.adminUrl] = urls;
    this.died = new Promise((_, reject) => {
      child.once('close', (code, signal) => {
        if (this.#isStopping) return;
        const how = `the server ended (${signal ?? code}) while it was measured`;
        reject(new OperatorFault(`${command}: ${how}: ${output.lastLine}`, EXIT.failed));
      });
    });
    // The rejection must not count as unhandled while no caller waits for it.
    this.died.catch(() => {});
  }

  /**
   * @param data the folder of its journal
   * @param port 0 for a free one
   * @throws OperatorFault the server ended, or was not ready in time
   */
  static async start(
    workspace: Workspace,
    flags: readonly string[],
    data: string,
    port = 0,
  ): Promise<ServerProcess> {
    const args = [MAIN, 'serve', ...flags, ...LOOPBACK, '--port', `${port}`, '--data', data];
    const child = workspace.start(process.execPath, args, { env: environmentWithoutOptions() });
    const output = new ProcessOutput(child);
    const urls = await urlsWhenReady(workspace.command, child, output);
    return new ServerProcess(workspace.command, child, output, urls);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** SIGKILL. Resolves when it has ended. */
  async kill(): Promise<void> {
    this.#isStopping = true;
    const closed = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await closed;
  }

  /** @throws OperatorFault the server did not end in order */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const code = await endProcess(this.#child);
    if (code !== EXIT.ok) {
      const how = `the server ended with code ${code}`;
      throw new OperatorFault(`${this.#command}: ${how}`, EXIT.failed);
    }
  }
}

/** A drill measures the flags that it shows: server options in this shell's environment must not change them. */
function environmentWithoutOptions(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('FOREBAY_')),
  );
}

async function urlsWhenReady(
  command: string,
  child: ChildProcess,
  output: ProcessOutput,
): Promise<readonly [string, string]> {
  let hasEnded = false;
  once(child, 'close').then(() => {
    hasEnded = true;
  });
  const deadlineMs = performance.now() + READY_MS_MAX;
  while (!hasEnded && performance.now() < deadlineMs) {
    const line = /^forebay ready: .*?(http:\/\/\S+).*?(http:\/\/\S+)\s/m.exec(output.text);
    if (line !== null) return [line[1]!, line[2]!];
    await sleep(POLL_MS);
  }
  const what = hasEnded ? 'ended before it was ready' : `was not ready in ${READY_MS_MAX} ms`;
  throw new OperatorFault(`${command}: the server ${what}: ${output.lastLine}`, EXIT.failed);
}
