import type { MessagePort } from 'node:worker_threads';
import type { Appender } from '../contract/journal.js';
import type { Options } from '../contract/options.js';
import { DirectAppender } from './direct-appender.js';
import { LocalAppender } from './local-appender.js';
import { LocalStore } from './local-store.js';

/** The journal that the options ask for, for one intake thread. `directPort` is the way to the pool in direct mode. */
export function openAppender(options: Options, directPort: MessagePort | null): Appender {
  if (directPort !== null) return new DirectAppender(directPort, options.commitMsMax);
  return new LocalAppender(new LocalStore(options.data));
}
