import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { answers } from '../../src/model/answers.js';
import { ORDER } from '../load.js';
import type { Counts } from './quantiles.js';

// From dist/bench/open-model: the sources lie outside what is compiled.
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SOURCES = join(ROOT, 'bench', 'open-model', 'generator');

/** `rate` is orders per second; 0 is a closed loop. */
export interface LoadPhase {
  readonly rate: number;
  readonly seconds: number;
}

export interface OpenLoadOptions {
  readonly connections: number;
  /** A client gives up this long after its request was due, and opens a new connection. */
  readonly timeoutMs: number;
  /** How long a due request may wait for a free connection. */
  readonly waitMs: number;
  /** Each phase is also reported in windows of this length; 0: no windows. */
  readonly windowMs: number;
  /** The core that the generator spins on; null: it sleeps, on any core. */
  readonly core: number | null;
  readonly phases: readonly LoadPhase[];
}

/** The requests that were due in one phase. Durations in nanoseconds. */
export interface SeenPhase extends LoadPhase {
  readonly due: number;
  readonly sent: number;
  readonly byStatus: Readonly<Record<string, number>>;
  /** 200s with an unexpected body. */
  readonly wrongBodies: number;
  /** The connection ended without a response. */
  readonly broken: number;
  /** The client gave up. */
  readonly timedOut: number;
  /** No connection was free. */
  readonly notOffered: number;
  /** 200s that arrived before the end of the phase. */
  readonly createdInTime: number;
  /** Share of the time in which the generator was idle. */
  readonly idleShare: number;
  /** From when a request was due until its response. */
  readonly latency: Counts;
  /** The same for 200s only. */
  readonly createdLatency: Counts;
  /** From when a request was sent until its response. */
  readonly service: Counts;
  /** How late the generator noticed that a request was due. */
  readonly lateness: Counts;
  readonly windows: readonly {
    readonly due: number;
    readonly created: number;
    readonly latency: Counts;
  }[];
}

/** Posts orders to `url` on a schedule. @throws Error if a 200 has an unexpected body or the generator fails */
export async function openLoad(url: string, options: OpenLoadOptions): Promise<SeenPhase[]> {
  const { hostname, port } = new URL(url);
  const { connections, timeoutMs, waitMs, windowMs, core, phases } = options;
  const settings = [connections, timeoutMs, waitMs, windowMs, core ?? -1].map(String);
  const load = phases.map(({ rate, seconds }) => `${rate}:${seconds}`);
  const child = spawn(
    await generatorProgram(),
    [hostname, port, ...settings, answers.created.body, ...load],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const killOnExit = () => child.kill('SIGKILL');
  process.once('exit', killOnExit);
  child.stdin.end(request(url));
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  process.removeListener('exit', killOnExit);
  if (errors !== '') throw new Error(errors.trim());
  const seen = (JSON.parse(output) as { phases: SeenPhase[] }).phases;
  const wrong = seen.reduce((sum, { wrongBodies }) => sum + wrongBodies, 0);
  if (wrong > 0)
    throw new Error(
      `${url}: ${wrong} responses with 200 have another body than ${answers.created.body}`,
    );
  return seen;
}

function request(url: string): string {
  const lines = [
    'POST /orders HTTP/1.1',
    `Host: ${new URL(url).host}`,
    'Content-Type: application/json',
    `Content-Length: ${ORDER.length}`,
    '',
    ORDER,
  ];
  return lines.join('\r\n');
}

/** The path of the generator, compiled if its sources have changed. @throws Error that says what is missing */
export async function generatorProgram(): Promise<string> {
  const names = (await readdir(SOURCES)).sort();
  const sources = await Promise.all(names.map((name) => readFile(join(SOURCES, name))));
  const version = createHash('sha256').update(Buffer.concat(sources)).digest('hex').slice(0, 12);
  const folder = join(ROOT, '.tools');
  const program = join(folder, `open-load-${version}`);
  if (existsSync(program)) return program;
  await mkdir(folder, { recursive: true });
  // Renamed when complete, because two processes may compile at once.
  const unfinished = `${program}.${process.pid}`;
  const flags = ['-O2', '-std=gnu11', '-o', unfinished, join(SOURCES, 'open-load.c')];
  try {
    await promisify(execFile)('cc', flags);
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    const why = code === 'ENOENT' ? 'no C compiler: apt-get install gcc libc6-dev' : stderr;
    throw new Error(`cannot compile the load generator: ${why}`);
  }
  await rename(unfinished, program);
  return program;
}
