import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { freePort } from '../../test/support/free-port.js';
import { Program, toolPath } from '../../test/support/program.js';
import { ask } from './ask.js';
import type { Broker } from './other.js';

/** What an AMQP 0-9-1 client says first; the server then says what it is, in a method frame. */
const AMQP_HEADER = 'AMQP\0\0\x09\x01';
const METHOD_FRAME = '\x01';

export const QUEUE = 'orders';

/** A RabbitMQ that shares nothing with one that runs here as a service: name, ports, folder, cookie and epmd are its own. */
export async function startRabbitmq(): Promise<Broker> {
  const program = join(dirname(await toolPath('rabbitmq-server')), 'rabbitmq-server');
  const folder = mkdtempSync(join(tmpdir(), 'forebay-rabbitmq-'));
  const [port, env] = await surroundings(folder);
  const log = join(folder, 'rabbitmq.log');
  // Erlang would start one by itself, which outlives it; where there is one at its port, it does not.
  const epmdPort = env.ERL_EPMD_PORT!;
  const epmd = new Program('epmd', ['-port', epmdPort, '-address', '127.0.0.1'], { log });
  const started = [epmd];
  const stop = async () => {
    for (const program of started.toReversed()) await program.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await epmd.ready(async () => (await ask(Number(epmdPort), EPMD_NAMES)) !== '');
    const server = new Program(program, [], { log, env });
    started.push(server);
    await server.ready(async () => (await ask(port, AMQP_HEADER)).startsWith(METHOD_FRAME));
    const pids = { 'rabbitmq-server': server.pid, epmd: epmd.pid };
    return { kind: 'rabbitmq', url: `amqp://guest:guest@127.0.0.1:${port}`, pids, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** epmd's request for the names that it knows: two bytes of length, and 'n'. */
const EPMD_NAMES = '\0\x01n';

async function surroundings(folder: string): Promise<[number, Record<string, string>]> {
  const [port, distributionPort, epmdPort] = [await freePort(), await freePort(), await freePort()];
  const inFolder = (name: string) => join(folder, name);
  writeFileSync(inFolder('rabbitmq.conf'), 'log.console.level = error\n');
  writeFileSync(inFolder('plugins'), '[].\n');
  writeFileSync(inFolder('environment'), '');
  const env = {
    HOME: folder,
    ERL_EPMD_PORT: `${epmdPort}`,
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `forebay-bench-${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: `${port}`,
    RABBITMQ_DIST_PORT: `${distributionPort}`,
    RABBITMQ_MNESIA_BASE: inFolder('data'),
    RABBITMQ_LOG_BASE: inFolder('log'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_CONFIG_FILE: inFolder('rabbitmq.conf'),
    RABBITMQ_CONF_ENV_FILE: inFolder('environment'),
    RABBITMQ_ENABLED_PLUGINS_FILE: inFolder('plugins'),
    RABBITMQ_PID_FILE: inFolder('pid'),
    // So that its script becomes the Erlang machine instead of waiting beside it, and our process is the one that works.
    RABBITMQ_ALLOW_INPUT: 'true',
    RABBITMQ_SERVER_START_ARGS: '-noinput',
  };
  return [port, env];
}
