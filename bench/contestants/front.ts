import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Front } from './other.js';

const READY_MS_MAX = 30_000;
/** How often a program that prints nothing is polled; also the error of `readyMs`. */
const POLL_MS = 5;

export interface FrontOptions {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** For a program that does not print its URL: it is ready when it responds here. */
  readonly url?: string;
}

/**
 * Starts a program that accepts orders, and waits for its line `ready URL`, or `ready URL pids PID,PID,…` if it has more
 * than one process.
 *
 * @throws Error with what it printed; nothing is left running
 */
export async function startFront({ file, args, env, url }: FrontOptions): Promise<Front> {
  const startedMs = performance.now();
  const child = spawn(file, args, {
    env: { ...process.env, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const killOnExit = () => child.kill('SIGKILL');
  process.once('exit', killOnExit);
  const stop = async () => {
    process.removeListener('exit', killOnExit);
    await end(child);
  };
  const stderr = tailOfStderr(child);
  const gone = new AbortController();
  const outOfTime = AbortSignal.timeout(READY_MS_MAX);
  child.once('error', () => gone.abort());
  child.once('exit', () => gone.abort());
  try {
    const signal = AbortSignal.any([gone.signal, outOfTime]);
    const ready = url === undefined ? await readyLine(child, signal) : await responds(url, signal);
    return { ...placesOf(ready, child.pid!), readyMs: performance.now() - startedMs, stop };
  } catch {
    await stop();
    throw new Error(`${[file, ...args].join(' ')} is not ready:\n${stderr.text}`);
  }
}

async function readyLine(child: ChildProcess, signal: AbortSignal): Promise<string> {
  const lines = createInterface(child.stdout!);
  const [line] = (await once(lines, 'line', { signal })) as [string];
  lines.close();
  child.stdout!.resume();
  return line;
}

/** Posts an invalid order: it is rejected where orders are checked, and stores nothing. */
async function responds(url: string, signal: AbortSignal): Promise<string> {
  for (;;) {
    try {
      const headers = { 'content-type': 'application/json' };
      await fetch(`${url}/orders`, { method: 'POST', headers, body: '{}', signal });
      return `ready ${url}`;
    } catch (error) {
      if (signal.aborted) throw error;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}

function placesOf(line: string, ownPid: number): Pick<Front, 'url' | 'pid' | 'others'> {
  const match = /^ready (http:\S+)(?: pids ([\d,]+))?$/.exec(line);
  if (match === null) throw new Error(line);
  const [pid = ownPid, ...rest] = (match[2] ?? `${ownPid}`).split(',').map(Number);
  const others = rest.map((other, i) => [`node process ${i + 2}`, other] as const);
  return { url: match[1]!, pid, others: Object.fromEntries(others) };
}

function tailOfStderr(child: ChildProcess): { text: string } {
  const stderr = { text: '' };
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr.text = (stderr.text + text).slice(-10_000);
  });
  return stderr;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
