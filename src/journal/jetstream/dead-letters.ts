import { JetStreamApiCodes, JetStreamApiError, type JetStreamManager } from '@nats-io/jetstream';
import type { MsgHdrs, NatsConnection } from '@nats-io/transport-node';
import type { DeadLetterStore, StoredDeadLetter } from '../../model/dead-letters.js';
import { EXIT, OperatorFault } from '../../model/fault.js';
import type { Log } from '../../model/log.js';
import type { NatsFiles } from '../../model/options.js';
import { replayFrame, replayFrameId } from '../frame/dead-letter.js';
import { NO_STEPS } from '../ledger/entry.js';
import { entryMessage } from '../ledger/stream.js';
import { NO_FILES } from '../nats/access-files.js';
import { JetStreamConnection, managerOf } from '../nats/connection.js';
import { framePublication, readDeadLetter } from '../nats/headers.js';
import { storedHeaders } from '../nats/message.js';
import { type JetStreamNames, jetStreamNames } from '../nats/names.js';
import { storedMessages } from '../nats/stream-reader.js';
import type { LetterSteps } from '../store/receipt-rows.js';

/** For a request that the server normally answers in about a millisecond. */
const REQUEST_MS_MAX = 3000;

/** One token of a subject. */
const SUBJECT_TOKEN = /^[\w-]+$/;

/** Stands for a process that claims no frames. */
const NOBODY = 'dlq';

interface Stored {
  readonly seq: number;
  readonly letter: StoredDeadLetter | null;
}

/**
 * The dead letters of a JetStream journal: one message per order, on a subject of its own. A replay stores the order
 * before it deletes the letter, under a message id derived from the letter: when it is interrupted and repeated, the
 * server stores the message once.
 */
class JetStreamDeadLetters implements DeadLetterStore {
  readonly #connection: JetStreamConnection;
  readonly #names: JetStreamNames;
  readonly #log: Log;
  #manager: Promise<JetStreamManager> | null = null;

  /** @param connection must be up */
  constructor(connection: JetStreamConnection, names: JetStreamNames, log: Log) {
    this.#connection = connection;
    this.#names = names;
    this.#log = log;
  }

  async *list(): AsyncIterable<StoredDeadLetter> {
    const prefix = this.#names.deadSubject('');
    try {
      for await (const message of storedMessages(this.#connection.nc, this.#names.deadStream)) {
        const orderId = message.subject.slice(prefix.length);
        const letter = this.#read(orderId, message.headers, message.payload);
        if (letter !== null) yield letter;
      }
    } catch (error) {
      throw fault(error);
    }
  }

  async find(orderId: string): Promise<StoredDeadLetter | null> {
    return (await this.#stored(orderId))?.letter ?? null;
  }

  async replay(orderId: string, schema: string, lastAtMs: number | null = null): Promise<boolean> {
    const stored = await this.#meant(orderId, lastAtMs);
    if (stored === null || stored.letter === null) return false;
    const frame = replayFrame(stored.letter, replayFrameId(stored.letter), schema);
    const publication = framePublication(this.#names, frame);
    await this.#record({ replayed: [orderId] });
    const outcome = await this.#connection.publisher.attempt(publication, REQUEST_MS_MAX);
    if (outcome.verdict !== 'stored') throw fault(new Error(outcome.reason));
    await this.#delete(stored.seq);
    return true;
  }

  async drop(orderId: string, lastAtMs: number | null = null): Promise<boolean> {
    const stored = await this.#meant(orderId, lastAtMs);
    if (stored === null) return false;
    await this.#record({ dropped: [orderId] });
    return this.#delete(stored.seq);
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  /** Null too when the letter is another one. @param lastAtMs null for any */
  async #meant(orderId: string, lastAtMs: number | null): Promise<Stored | null> {
    const stored = await this.#stored(orderId);
    return lastAtMs === null || stored?.letter?.lastAtMs === lastAtMs ? stored : null;
  }

  /** `letter` is null when it cannot be read. */
  async #stored(orderId: string): Promise<Stored | null> {
    if (!SUBJECT_TOKEN.test(orderId)) return null;
    const { deadStream, deadSubject } = this.#names;
    const found = await this.#ask((manager) =>
      manager.streams.getMessage(deadStream, { last_by_subj: deadSubject(orderId) }),
    );
    if (found === null) return null;
    return { seq: found.seq, letter: this.#read(orderId, storedHeaders(found), found.data) };
  }

  /**
   * Tells the processes on the stream, through their ledger, which receipt the order has now. This comes first,
   * because the order can be done before the next step. The entry claims nothing, so the ledger need not be read
   * before; if the server does not take it, only the receipt is late.
   */
  async #record(steps: Partial<LetterSteps>): Promise<void> {
    const { ledgerStream, ledgerSubject } = this.#names;
    const entry = { ...NO_STEPS, ...steps, by: NOBODY, nonce: '' };
    const publication = {
      ...entryMessage(entry),
      stream: ledgerStream,
      subject: ledgerSubject,
    };
    await this.#connection.publisher.attempt(publication, REQUEST_MS_MAX);
  }

  /** False when it is already gone. */
  #delete(seq: number): Promise<boolean> {
    const { deadStream } = this.#names;
    return this.#ask(async (manager) => {
      try {
        return await manager.streams.deleteMessage(deadStream, seq, false);
      } catch (error) {
        const isRefused = error instanceof JetStreamApiError;
        if (isRefused && (await manager.streams.getMessage(deadStream, { seq })) === null) {
          return false;
        }
        throw error;
      }
    });
  }

  async #ask<T>(question: (manager: JetStreamManager) => Promise<T>): Promise<T> {
    try {
      this.#manager ??= managerOf(this.#connection.nc, { timeout: REQUEST_MS_MAX });
      return await question(await this.#manager);
    } catch (error) {
      throw fault(error);
    }
  }

  #read(orderId: string, found: MsgHdrs | undefined, body: Uint8Array): StoredDeadLetter | null {
    try {
      return readDeadLetter(orderId, found, body);
    } catch (error) {
      const { message } = error as Error;
      this.#log('letter-unreadable', `dead letter ${orderId} cannot be read: ${message}`);
      return null;
    }
  }
}

function fault(error: unknown): OperatorFault {
  if (error instanceof OperatorFault) return error;
  const { message, name } = error as Error;
  const text = (message || name).replace(/^NATS: /, '');
  return new OperatorFault(
    `NATS: ${text}; what was done stays done, run the command again`,
    EXIT.failed,
  );
}

/** Longer than one dial may take, so that the failure of the dial is reported. */
const REACH_MS_MAX = 3000;

/**
 * Opens the dead letters of an existing JetStream journal, for interactive commands.
 * @throws OperatorFault NATS does not answer, or has no such journal
 */
export async function openJetStreamDeadLetters(
  servers: readonly string[],
  stream: string,
  log: Log,
  files: NatsFiles = NO_FILES,
): Promise<DeadLetterStore> {
  const names = jetStreamNames(stream);
  const connection = await connectForCommand(servers, [stream, names.deadStream], files);
  return new JetStreamDeadLetters(connection, names, log);
}

/**
 * Connects, and gives up at the first failure.
 * @param streams that must exist
 * @throws OperatorFault NATS does not answer, or has no such stream
 */
export async function connectForCommand(
  servers: readonly string[],
  streams: readonly string[],
  files: NatsFiles,
): Promise<JetStreamConnection> {
  const connection = new JetStreamConnection({
    servers,
    files,
    clientName: 'forebay dlq',
    prepare: (nc) => requireStreams(nc, streams),
    log: () => {},
  });
  await connection.whenUp(REACH_MS_MAX);
  if (connection.up) return connection;
  const { reason } = connection;
  // Rejects when an OperatorFault was the reason; otherwise closing ends it.
  const refused = connection.ready;
  await connection.close();
  await refused;
  throw new OperatorFault(`${reason}; see --nats`, EXIT.failed);
}

async function requireStreams(nc: NatsConnection, streams: readonly string[]): Promise<void> {
  const manager = await managerOf(nc, { checkAPI: true, timeout: REACH_MS_MAX });
  for (const stream of streams) {
    try {
      await manager.streams.info(stream);
    } catch (error) {
      const { code } = error as JetStreamApiError;
      if (!(error instanceof JetStreamApiError) || code !== JetStreamApiCodes.StreamNotFound) {
        throw error;
      }
      throw new OperatorFault(
        `NATS has no stream ${stream}: name the stream of the server with --nats-stream`,
        EXIT.failed,
      );
    }
  }
}
