import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Contestant, RunningContestant } from './contestant.js';

/** What everything else is a share of. */
export const YARDSTICK = 'bare uWebSockets.js';

export const HTTP = 'bare node:http';

export const bare: readonly Contestant[] = [
  limit(
    YARDSTICK,
    'bare.js',
    'reads the body to its end and gives a fixed answer; as many threads as Forebay has by default',
  ),
  limit(HTTP, 'bare-http.js', 'the same on node:http, in one process'),
];

function limit(name: string, program: string, about: string): Contestant {
  return {
    name,
    kind: 'limit',
    durability: 'none',
    about,
    missing: async () => null,
    start: () => startNode(new URL(`../servers/${program}`, import.meta.url)),
  };
}

/** Starts a program of bench/servers, which says its URL in the first line that it prints. */
async function startNode(program: URL): Promise<RunningContestant> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [fileURLToPath(program)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const killOnExit = () => child.kill('SIGKILL');
  process.once('exit', killOnExit);
  const stop = async () => {
    child.kill('SIGKILL');
    await exited;
    process.removeListener('exit', killOnExit);
  };
  const ended = exited.then(([code]) => `ended with code ${code}`);
  const line = once(createInterface(child.stdout), 'line').then(([text]) => String(text));
  const said = await Promise.race([line, ended]);
  const url = /http:\S+/.exec(said)?.[0];
  if (url === undefined) {
    await stop();
    throw new Error(`${fileURLToPath(program)} did not say its URL: ${said}`);
  }
  const readyMs = performance.now() - startedMs;
  return { url, adminUrl: null, pid: child.pid!, behind: {}, readyMs, stop };
}
