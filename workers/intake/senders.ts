import type { RequestSenders } from '../../src/intake/request-extras.js';
import { WindowLimiter } from '../../src/limit/window.js';
import { KeyCounts } from '../../src/metrics/count.js';
import type { SendersData } from '../../src/model/senders.js';
import { ThreadSenders } from '../../src/senders/thread-senders.js';
import type { IntakeThreadData } from './protocol.js';

/** What an intake thread knows of the senders, and how it learns of changes. */
export function openSenders({ senders, options, keyCounts, countsIndex }: IntakeThreadData): {
  readonly known: RequestSenders;
  readonly renew: (senders: SendersData) => void;
} {
  const thread = new ThreadSenders(senders, options.verify, (memory) => new WindowLimiter(memory));
  const { keys, signatures } = thread;
  return {
    known: { keys, signatures, keyCounts: new KeyCounts(keyCounts, countsIndex) },
    renew: (renewed) => thread.renew(renewed),
  };
}
