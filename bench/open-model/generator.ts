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

/** So many orders a second for so long; a rate of 0 is a closed loop. */
export interface LoadPhase {
  readonly rate: number;
  readonly seconds: number;
}

export interface OpenLoadOptions {
  readonly connections: number;
  /** A client whose answer is not there so long after its request was due gives up and dials again. */
  readonly timeoutMs: number;
  /** How long a request that is due may wait for a free connection. */
  readonly waitMs: number;
  /** 0: the phases are not divided. */
  readonly windowMs: number;
  /** Which core it spins on; null: any. */
  readonly core: number | null;
  readonly phases: readonly LoadPhase[];
}

/** What became of the requests that were due in one phase. Durations in nanoseconds. */
export interface SeenPhase extends LoadPhase {
  readonly due: number;
  readonly sent: number;
  readonly byStatus: Readonly<Record<string, number>>;
  /** 200s with another body than they must have. */
  readonly wrongBodies: number;
  /** The connection ended without an answer; the client gave up; there was no free connection. */
  readonly broken: number;
  readonly timedOut: number;
  readonly notOffered: number;
  /** 200s that came before the phase was over. */
  readonly createdInTime: number;
  /** Share of the time in which the generator had nothing to do. */
  readonly idleShare: number;
  /** Answers, from when the request was due; those of 200s alone; from when it was sent. */
  readonly latency: Counts;
  readonly createdLatency: Counts;
  readonly service: Counts;
  /** How late the generator noticed that a request was due. */
  readonly lateness: Counts;
  readonly windows: readonly {
    readonly due: number;
    readonly created: number;
    readonly latency: Counts;
  }[];
}

/** Posts orders at `url` on a schedule. @throws Error when a 200 had the wrong body, or the server went away */
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
  const endWithUs = () => child.kill('SIGKILL');
  process.once('exit', endWithUs);
  child.stdin.end(request(url));
  const [output, complaint] = await Promise.all([text(child.stdout), text(child.stderr)]);
  process.removeListener('exit', endWithUs);
  if (complaint !== '') throw new Error(complaint.trim());
  const seen = (JSON.parse(output) as { phases: SeenPhase[] }).phases;
  const wrong = seen.reduce((sum, { wrongBodies }) => sum + wrongBodies, 0);
  if (wrong > 0)
    throw new Error(`${url}: ${wrong} answers 200 had another body than ${answers.created.body}`);
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

/** The path of the generator, compiled where that has not been done. @throws Error that says what is missing */
export async function generatorProgram(): Promise<string> {
  const names = (await readdir(SOURCES)).sort();
  const sources = await Promise.all(names.map((name) => readFile(join(SOURCES, name))));
  const version = createHash('sha256').update(Buffer.concat(sources)).digest('hex').slice(0, 12);
  const folder = join(ROOT, '.tools');
  const program = join(folder, `open-load-${version}`);
  if (existsSync(program)) return program;
  await mkdir(folder, { recursive: true });
  // Under a name of its own, since two processes may compile at once.
  const unfinished = `${program}.${process.pid}`;
  const flags = ['-O2', '-std=gnu11', '-o', unfinished, join(SOURCES, 'open-load.c')];
  try {
    await promisify(execFile)('cc', flags);
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    const why = code === 'ENOENT' ? 'no C compiler: apt-get install gcc libc6-dev' : stderr;
    throw new Error(`the load generator can't be compiled: ${why}`);
  }
  await rename(unfinished, program);
  return program;
}
