import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Front } from './other.js';

const READY_MS_MAX = 30_000;
/** How often a program that says nothing is asked; a bound on the error of `readyMs`. */
const POLL_MS = 5;

export interface FrontOptions {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where it listens, for a program that does not say so itself: ready means that it answers there. */
  readonly url?: string;
}

/**
 * Starts a program that takes orders, and waits until it says so: `ready URL`, and where they are more than one, `pids` and its
 * processes.
 *
 * @throws Error with what it said; nothing is left running then
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
  const said = stderrOf(child);
  const gone = new AbortController();
  const outOfTime = AbortSignal.timeout(READY_MS_MAX);
  child.once('error', () => gone.abort());
  child.once('exit', () => gone.abort());
  try {
    const signal = AbortSignal.any([gone.signal, outOfTime]);
    const ready = url === undefined ? await readyLine(child, signal) : await answers(url, signal);
    return { ...placesOf(ready, child.pid!), readyMs: performance.now() - startedMs, stop };
  } catch {
    await stop();
    throw new Error(`${[file, ...args].join(' ')} is not ready:\n${said.text}`);
  }
}

async function readyLine(child: ChildProcess, signal: AbortSignal): Promise<string> {
  const lines = createInterface(child.stdout!);
  const [line] = (await once(lines, 'line', { signal })) as [string];
  lines.close();
  child.stdout!.resume();
  return line;
}

/** An order that is not valid comes back from wherever orders are checked, and leaves nothing behind. */
async function answers(url: string, signal: AbortSignal): Promise<string> {
  for (;;) {
    try {
      await fetch(`${url}/orders`, { method: 'POST', body: '{}', signal });
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

function stderrOf(child: ChildProcess): { text: string } {
  const said = { text: '' };
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said.text = (said.text + text).slice(-10_000);
  });
  return said;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
