/** The message brokers of the other contestants. Each has its own ports and folder, and shares nothing with a service on this machine. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DiscardPolicy, jetstreamManager, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { freePort } from '../../test/support/free-port.js';
import { NatsServer } from '../../test/support/nats.js';
import { Program, toolPath } from '../../test/support/program.js';

export interface Broker {
  readonly kind: 'jetstream' | 'redis' | 'rabbitmq';
  readonly url: string;
  /** Its processes by name. */
  readonly pids: Readonly<Record<string, number>>;
  /** Ends its processes and removes its data. */
  stop(): Promise<void>;
}

/** Name of the stream. */
export const STREAM = 'ORDERS';
/** Name of the subject in JetStream, and of the queue in Redis and RabbitMQ. */
export const QUEUE = 'orders';

/**
 * A nats-server as Forebay is measured with, and a stream configured like Forebay's.
 *
 * @param sync when a message is flushed to disk: within 2 minutes, or before its ack
 */
export async function startJetStream(sync: 'default' | 'always'): Promise<Broker> {
  const server = await NatsServer.start(sync === 'always' ? { syncInterval: sync } : {});
  try {
    await declareStream(server.url);
    const pids = { 'nats-server': server.pid };
    return { kind: 'jetstream', url: server.url, pids, stop: () => server.stop() };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function declareStream(url: string): Promise<void> {
  const connection = await connect({ servers: url });
  try {
    const manager = await jetstreamManager(connection);
    await manager.streams.add({
      name: STREAM,
      subjects: [QUEUE],
      retention: RetentionPolicy.Workqueue,
      storage: StorageType.File,
      discard: DiscardPolicy.New,
    });
  } finally {
    await connection.close();
  }
}

/**
 * A Redis as BullMQ's guide for production recommends: append-only file, no eviction. Without snapshots, which add
 * work and store nothing that the file does not.
 *
 * @param sync when the file is flushed: once a second, or before each reply
 */
export async function startRedis(sync: 'everysec' | 'always'): Promise<Broker> {
  const program = await toolPath('redis-server');
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'forebay-redis-'));
  const settings = {
    port: `${port}`,
    bind: '127.0.0.1',
    dir: folder,
    appendonly: 'yes',
    appendfsync: sync,
    save: '',
    'maxmemory-policy': 'noeviction',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const server = new Program(program, args, { log: join(folder, 'redis.log') });
  const stop = async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await server.ready(async () => (await ask(port, 'PING\r\n')).startsWith('+PONG'));
  } catch (error) {
    await stop();
    throw error;
  }
  const pids = { 'redis-server': server.pid };
  return { kind: 'redis', url: `redis://127.0.0.1:${port}`, pids, stop };
}

/** The first bytes of an AMQP 0-9-1 client; the server replies with a method frame. */
const AMQP_HEADER = 'AMQP\0\0\x09\x01';
const AMQP_METHOD_FRAME = '\x01';
/** epmd's request for the names that it knows: a length of two bytes, and 'n'. */
const EPMD_NAMES = '\0\x01n';

export async function startRabbitmq(): Promise<Broker> {
  const program = join(dirname(await toolPath('rabbitmq-server')), 'rabbitmq-server');
  const folder = mkdtempSync(join(tmpdir(), 'forebay-rabbitmq-'));
  const [port, env] = await rabbitmqSettings(folder);
  const log = join(folder, 'rabbitmq.log');
  // Started here, because an epmd that Erlang starts by itself outlives it.
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
    await server.ready(async () => (await ask(port, AMQP_HEADER)).startsWith(AMQP_METHOD_FRAME));
    const pids = { 'rabbitmq-server': server.pid, epmd: epmd.pid };
    return { kind: 'rabbitmq', url: `amqp://guest:guest@127.0.0.1:${port}`, pids, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function rabbitmqSettings(folder: string): Promise<[number, Record<string, string>]> {
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
    // The start script then execs the Erlang machine, so the process that we start is the one that works.
    RABBITMQ_ALLOW_INPUT: 'true',
    RABBITMQ_SERVER_START_ARGS: '-noinput',
  };
  return [port, env];
}

const REPLY_MS_MAX = 2000;

/** Sends bytes to a local port. @returns the first chunk of the reply @throws Error if nothing replies */
async function ask(port: number, bytes: string): Promise<string> {
  const signal = AbortSignal.timeout(REPLY_MS_MAX);
  const socket = dial(port, '127.0.0.1');
  try {
    await once(socket, 'connect', { signal });
    socket.write(bytes);
    const [reply] = (await once(socket, 'data', { signal })) as [Buffer];
    return reply.toString('latin1');
  } finally {
    socket.destroy();
  }
}
