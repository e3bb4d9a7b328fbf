import type { MessagePort } from 'node:worker_threads';
import type { Appender } from '../contract/journal.js';
import type { Options } from '../contract/options.js';
import { DirectAppender } from './direct-appender.js';

/**
 * The journal that the options ask for, for one intake thread. `directPort` is the way to the pool in
 * direct mode, null otherwise.
 */
export async function openAppender(
  options: Options,
  directPort: MessagePort | null,
): Promise<Appender> {
  if (directPort !== null) return new DirectAppender(directPort, options.commitMsMax);
  // Each loaded only where it is used: LMDB or NATS is a tenth of the time to ready.
  if (options.nats.length === 0) {
    const { openLocalAppender } = await import('./local-open.js');
    return openLocalAppender(options.data);
  }
  const { openJetStreamAppender } = await import('./jetstream-open.js');
  const place = { servers: options.nats, stream: options.natsStream };
  // The source in the main thread has a connection to the same servers and reports their faults;
  // one line for each thread more would tell the operator nothing.
  return openJetStreamAppender(place, options, () => {});
}
