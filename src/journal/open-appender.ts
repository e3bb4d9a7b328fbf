import type { MessagePort } from 'node:worker_threads';
import type { ThreadCounts } from '../metrics/count.js';
import type { Appender } from '../model/journal.js';
import type { Options } from '../model/options.js';
import { DirectAppender } from './direct-appender.js';

/**
 * The journal that the options ask for, for one intake thread. `directPort` is the way to the pool in
 * direct mode, null otherwise.
 */
export async function openAppender(
  options: Options,
  directPort: MessagePort | null,
  counts: ThreadCounts,
  mainCounts: ThreadCounts,
): Promise<Appender> {
  if (directPort !== null) return new DirectAppender(directPort, options.commitMsMax);
  // Each loaded only where it is used: LMDB or NATS is a tenth of the time to ready.
  if (options.nats.length === 0) {
    const { openLocalAppender } = await import('./local/local-open.js');
    return openLocalAppender(options.data);
  }
  const { openSpooledAppender } = await import('./spool/open-spooled.js');
  return openSpooledAppender(options, counts, mainCounts);
}
