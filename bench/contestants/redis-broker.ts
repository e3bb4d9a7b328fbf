import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../test/support/free-port.js';
import { Program, toolPath } from '../../test/support/program.js';
import { ask } from './ask.js';
import type { Broker } from './other.js';

export const QUEUE = 'orders';

/**
 * A Redis as BullMQ's guide for production has it: append-only file, nothing evicted. Without snapshots, which would only
 * add work to what the file already keeps.
 *
 * @param sync when the file is flushed: once a second, or before each answer
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
