/**
 * Chooses the journal by the options. Each journal is loaded only when it is used: loading LMDB or NATS takes a tenth
 * of the start-up time.
 */
import type { MessagePort } from 'node:worker_threads';
import type { ThreadCounts } from '../metrics/count.js';
import type { DeadLetterStore } from '../model/dead-letters.js';
import { EXIT, OperatorFault } from '../model/fault.js';
import type { Appender } from '../model/journal.js';
import type { NatsFiles, Options } from '../model/options.js';
import type { UnreadableStore } from '../model/unreadable.js';
import { DirectAppender } from './direct-appender.js';
import type { LocalDeadLettersParts } from './local/dead-letters.js';
import type { SourceHandle, SourceParts } from './source-handle.js';

/**
 * The journal for one intake thread. Its code is loaded while the journal is being opened.
 * @param directPort leads to the pool in direct mode; null otherwise
 * @param journalOpened resolves when the journal's source is open
 */
export async function openAppender(
  options: Options,
  directPort: MessagePort | null,
  counts: ThreadCounts,
  mainCounts: ThreadCounts,
  journalOpened: Promise<void>,
): Promise<Appender> {
  if (directPort !== null) {
    await journalOpened;
    return new DirectAppender(directPort, options.commitMsMax);
  }
  if (options.nats.length === 0) {
    const { openLocalAppender } = await import('./local/open.js');
    await journalOpened;
    return openLocalAppender(options.data);
  }
  const { openSpooledAppender } = await import('./spool/open.js');
  await journalOpened;
  return openSpooledAppender(options, counts, mainCounts);
}

/** The journal as the drain reads it. Direct mode has none. */
export async function openSource(options: Options, parts: SourceParts): Promise<SourceHandle> {
  if (options.nats.length > 0) {
    const { openSpooledSource } = await import('./spool/open.js');
    return openSpooledSource(options, parts);
  }
  const { openLocalSource } = await import('./local/open.js');
  return openLocalSource(options, parts);
}

/** Where the dead letters are. */
export type DeadLetterPlace = Pick<Options, 'nats' | 'natsStream' | 'data'> & NatsFiles;

/**
 * The dead letters of the journal that the options name. Creates nothing and claims nothing: a server may be running.
 * @throws OperatorFault there is no journal, or it does not answer
 */
export async function openDeadLetters(
  options: DeadLetterPlace,
  parts: LocalDeadLettersParts,
): Promise<DeadLetterStore> {
  if (options.nats.length > 0) {
    const { openJetStreamDeadLetters } = await import('./jetstream/dead-letters.js');
    return openJetStreamDeadLetters(options.nats, options.natsStream, parts.log, options);
  }
  const { LocalStore, hasJournal } = await import('./store/local-store.js');
  const { LocalDeadLetters } = await import('./local/dead-letters.js');
  if (!hasJournal(options.data)) {
    throw new OperatorFault(
      `data folder ${options.data} holds no journal: name the data folder of the server with --data, or its NATS servers with --nats`,
      EXIT.failed,
    );
  }
  return new LocalDeadLetters(new LocalStore(options.data, { mustExist: true }), parts);
}

/**
 * What cannot be read in a data folder, which with NATS is that of the spool, and in NATS. A server may be running.
 * @throws OperatorFault there is no journal in it
 */
export async function openUnreadable(options: DeadLetterPlace): Promise<UnreadableStore> {
  const { data, nats, natsStream } = options;
  if (nats.length > 0) {
    const { openJetStreamUnreadable } = await import('./jetstream/unreadable.js');
    const inNats = await openJetStreamUnreadable(nats, natsStream, data, options);
    return new BothUnreadable(inNats, await openLocalUnreadable(data).catch(() => null));
  }
  return openLocalUnreadable(data);
}

async function openLocalUnreadable(data: string): Promise<UnreadableStore> {
  const { LocalStore, hasJournal } = await import('./store/local-store.js');
  const { LocalUnreadable } = await import('./local/unreadable.js');
  if (!hasJournal(data)) {
    throw new OperatorFault(
      `data folder ${data} holds no journal: name the data folder of the server with --data`,
      EXIT.failed,
    );
  }
  return new LocalUnreadable(new LocalStore(data, { mustExist: true }));
}

/** With NATS: what cannot be read there, then what cannot be read in the data folder. */
class BothUnreadable implements UnreadableStore {
  readonly #stores: readonly UnreadableStore[];

  /** @param local null without a data folder on this machine */
  constructor(inNats: UnreadableStore, local: UnreadableStore | null) {
    this.#stores = local === null ? [inNats] : [inNats, local];
  }

  async *list() {
    for (const store of this.#stores) yield* store.list();
  }

  async *setAside(ids: readonly string[] | null) {
    for (const store of this.#stores) yield* store.setAside(ids);
  }

  async close(): Promise<void> {
    for (const store of this.#stores) await store.close();
  }
}
