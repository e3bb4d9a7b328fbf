import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import type { Options } from '../../model/options.js';
import { filesOf } from './access-files.js';
import { JetStreamConnection } from './connection.js';

/**
 * Removes the streams of a journal, with all that is in them: those called `natsStream`, or so and `_` and more.
 *
 * @param msMax how long it waits for NATS
 * @returns the names of the streams that were removed
 * @throws Error NATS did not answer in time, or refused
 */
export async function removeStreams(options: Options, msMax: number): Promise<string[]> {
  const { nats, natsStream } = options;
  const removed: string[] = [];
  const connection = new JetStreamConnection({
    servers: nats,
    files: filesOf(options),
    clientName: 'forebay-prove',
    prepare: async (nc) => {
      const manager = await jetstreamManager(nc, { checkAPI: false });
      for await (const name of manager.streams.names()) {
        if (name !== natsStream && !name.startsWith(`${natsStream}_`)) continue;
        await manager.streams.delete(name);
        removed.push(name);
      }
    },
    log: () => {},
  });
  const late = new AbortController();
  try {
    await Promise.race([
      connection.ready,
      sleep(msMax, undefined, { signal: late.signal }).then(() => {
        throw new Error(`NATS does not answer within ${msMax} ms`);
      }),
    ]);
    return removed;
  } finally {
    late.abort();
    await connection.close();
  }
}
