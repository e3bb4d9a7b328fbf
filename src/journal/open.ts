/** Chooses the journal by the options. Each one is loaded only where it is used: LMDB or NATS is a tenth of the time to ready. */
import type { MessagePort } from 'node:worker_threads';
import type { ThreadCounts } from '../metrics/count.js';
import type { DeadLetterStore } from '../model/dead-letters.js';
import { EXIT, OperatorFault } from '../model/fault.js';
import type { Appender } from '../model/journal.js';
import type { Options } from '../model/options.js';
import { DirectAppender } from './direct-appender.js';
import type { LocalDeadLettersParts } from './local/dead-letters.js';
import type { SourceHandle, SourceParts } from './source-handle.js';

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
  if (options.nats.length === 0) {
    const { openLocalAppender } = await import('./local/open.js');
    return openLocalAppender(options.data);
  }
  const { openSpooledAppender } = await import('./spool/open.js');
  return openSpooledAppender(options, counts, mainCounts);
}

/** The journal that the options ask for, as the drain reads it; not for direct mode, which has none. */
export async function openSource(options: Options, parts: SourceParts): Promise<SourceHandle> {
  if (options.nats.length > 0) {
    const { openSpooledSource } = await import('./spool/open.js');
    return openSpooledSource(options, parts);
  }
  const { openLocalSource } = await import('./local/open.js');
  return openLocalSource(options, parts);
}

/**
 * The dead letters of the journal that the options name. Creates nothing, and takes no claim on anything: the
 * server may run.
 *
 * @throws OperatorFault there is no journal, or it does not answer
 */
export async function openDeadLetters(
  options: Pick<Options, 'nats' | 'natsStream' | 'data'>,
  parts: LocalDeadLettersParts,
): Promise<DeadLetterStore> {
  if (options.nats.length > 0) {
    const { reachJetStream } = await import('./jetstream/dead-letters.js');
    const { JetStreamDeadLetters } = await import('./jetstream/dead-letters.js');
    const { connection, names } = await reachJetStream(options.nats, options.natsStream);
    return new JetStreamDeadLetters(connection, names, parts.log);
  }
  const { LocalStore, hasJournal } = await import('./store/local-store.js');
  const { LocalDeadLetters } = await import('./local/dead-letters.js');
  if (!hasJournal(options.data)) {
    throw new OperatorFault(
      `data folder ${options.data} holds no journal: name the server's with --data, or its NATS servers with --nats`,
      EXIT.failed,
    );
  }
  return new LocalDeadLetters(new LocalStore(options.data, { mustExist: true }), parts);
}
