import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startForebay } from '../test/support/forebay.js';
import { NatsServer } from '../test/support/nats.js';

/** One server that is driven. A fresh one each round, so that no backlog is carried over. */
export interface Contender {
  readonly name: string;
  /** The least share of the bare server's requests per second that it is meant to reach. */
  readonly ratioMin: number | null;
  start(): Promise<Running>;
}

export interface Running {
  readonly url: string;
  readonly adminUrl: string | null;
  readonly pid: number;
  /** From the start of the process to the line that says it is ready. */
  readonly readyMs: number;
  stop(): Promise<void>;
}

const INTAKE_ALONE_MIN = 0.65;
const WITH_DRAIN_MIN = 0.5;

export const contenders: readonly Contender[] = [
  { name: 'bare uWebSockets.js', ratioMin: null, start: startBare },
  forebay('local, drain off', 'local', 'off', INTAKE_ALONE_MIN),
  forebay('jetstream, drain off', 'jetstream', 'off', INTAKE_ALONE_MIN),
  forebay('local, drain on', 'local', 'on', WITH_DRAIN_MIN),
  forebay('jetstream, drain on', 'jetstream', 'on', WITH_DRAIN_MIN),
];

function forebay(
  name: string,
  journal: 'local' | 'jetstream',
  drain: 'on' | 'off',
  ratioMin: number,
): Contender {
  const flags = ['--drain', drain, '--log-level', 'warn'];
  const start = journal === 'local' ? () => startLocal(flags) : () => startJetStream(flags);
  return { name, ratioMin, start };
}

async function startLocal(flags: readonly string[]): Promise<Running> {
  const server = await startForebay(flags);
  const { url, adminUrl, pid, readyAfterMs: readyMs } = server;
  // The backlog is thrown away with the server: to drain it first would only take time.
  return { url, adminUrl, pid, readyMs, stop: () => server.kill9() };
}

async function startJetStream(flags: readonly string[]): Promise<Running> {
  const nats = await NatsServer.start();
  try {
    const running = await startLocal([...flags, '--nats', nats.url]);
    const stop = async () => {
      await running.stop();
      await nats.stop();
    };
    return { ...running, stop };
  } catch (error) {
    await nats.stop();
    throw error;
  }
}

async function startBare(): Promise<Running> {
  const startedMs = performance.now();
  const program = fileURLToPath(new URL('./servers/bare.js', import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const url = /http:\S+/.exec(line)![0];
  const stop = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  return { url, adminUrl: null, pid: child.pid!, readyMs: performance.now() - startedMs, stop };
}
