import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Contestant, RunningContestant } from './contestant.js';

/** The reference: every other server is shown as a share of it. */
export const REFERENCE = 'bare uWebSockets.js';

export const HTTP = 'bare node:http';

export const bare: readonly Contestant[] = [
  bareServer(
    REFERENCE,
    'bare.js',
    'reads the body and sends a fixed response; as many threads as Forebay has by default',
  ),
  bareServer(HTTP, 'bare-http.js', 'the same with node:http, in one process'),
];

function bareServer(name: string, program: string, about: string): Contestant {
  return {
    name,
    kind: 'limit',
    durability: 'none',
    about,
    missing: async () => null,
    start: () => startNode(new URL(`../servers/${program}`, import.meta.url)),
  };
}

/** Starts a program of bench/servers. The first line that it prints contains its URL. */
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
  const ended = exited.then(([code]) => `exited with code ${code}`);
  const line = once(createInterface(child.stdout), 'line').then(([text]) => String(text));
  const printed = await Promise.race([line, ended]);
  const url = /http:\S+/.exec(printed)?.[0];
  if (url === undefined) {
    await stop();
    throw new Error(`${fileURLToPath(program)} printed no URL: ${printed}`);
  }
  const readyMs = performance.now() - startedMs;
  return { url, adminUrl: null, pid: child.pid!, behind: {}, readyMs, stop };
}
