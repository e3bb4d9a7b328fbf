import type { MessagePort } from 'node:worker_threads';
import type { Appender } from '../contract/journal.js';
import type { Options } from '../contract/options.js';
import { DirectAppender } from './direct-appender.js';
import { openJetStreamAppender } from './jetstream-open.js';
import { LocalAppender } from './local-appender.js';
import { LocalStore } from './local-store.js';

/**
 * The journal that the options ask for, for one intake thread. `directPort` is the way to the pool in
 * direct mode, null otherwise.
 */
export function openAppender(options: Options, directPort: MessagePort | null): Appender {
  if (directPort !== null) return new DirectAppender(directPort, options.commitMsMax);
  if (options.nats.length === 0) return new LocalAppender(new LocalStore(options.data));
  const place = { servers: options.nats, stream: options.natsStream };
  // The source in the main thread has a connection to the same servers and reports their faults;
  // one line for each thread more would tell the operator nothing.
  return openJetStreamAppender(place, options, () => {});
}
