import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import type { JetStreamConnection } from './jetstream-connection.js';
import type { JetStreamNames } from './jetstream-names.js';
import { JetStreamPublisher, type PublishOutcome } from './jetstream-publisher.js';
import { decodeEntry, encodeEntry, type LedgerEntry } from './ledger-entry.js';

const ATTEMPT_MS_MAX = 2000;

/** Entries asked for at once while catching up. */
const READS_MAX = 64;

/** How far the ledger goes. */
export interface LedgerExtent {
  /** Tells a stream from one of the same name that was there before. */
  readonly created: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** The stream of the ledger: appended to only by who knows all that stands in it. */
export class LedgerLog {
  readonly #connection: JetStreamConnection;
  readonly #names: JetStreamNames;
  readonly #publisher: JetStreamPublisher;

  constructor(connection: JetStreamConnection, names: JetStreamNames) {
    this.#connection = connection;
    this.#names = names;
    this.#publisher = new JetStreamPublisher(connection);
  }

  /** `conflict` when the last entry is not number `lastSeq`. */
  append(entry: LedgerEntry, lastSeq: number): Promise<PublishOutcome> {
    const { ledgerStream, ledgerSubject } = this.#names;
    const publication = {
      stream: ledgerStream,
      subject: ledgerSubject,
      payload: encodeEntry(entry),
      headers: headers(),
      lastSeq,
    };
    return this.#publisher.attempt(publication, ATTEMPT_MS_MAX);
  }

  /** @throws Error when NATS does not answer */
  async extent(): Promise<LedgerExtent> {
    const { state, created } = await (await this.#manager()).streams.info(this.#names.ledgerStream);
    return { created: String(created), firstSeq: state.first_seq, lastSeq: state.last_seq };
  }

  /**
   * The entries from one number to another, both included, in order, with their numbers; those that are gone
   * are left out.
   *
   * @throws Error when NATS does not answer
   */
  async *read(fromSeq: number, toSeq: number): AsyncIterable<[number, LedgerEntry]> {
    const manager = await this.#manager();
    for (let seq = fromSeq; seq <= toSeq; seq += READS_MAX) {
      const size = Math.min(READS_MAX, toSeq - seq + 1);
      const found = await Promise.all(
        Array.from({ length: size }, (_, i) => this.#entry(manager, seq + i)),
      );
      for (const [i, entry] of found.entries()) if (entry !== null) yield [seq + i, entry];
    }
  }

  async #entry(manager: JetStreamManager, seq: number): Promise<LedgerEntry | null> {
    const found = await manager.streams.getMessage(this.#names.ledgerStream, { seq });
    if (found === null) return null;
    try {
      return decodeEntry(found.data);
    } catch {
      // Written by somebody else: it says nothing about frames.
      return null;
    }
  }

  #manager(): Promise<JetStreamManager> {
    return jetstreamManager(this.#connection.nc, { checkAPI: false });
  }
}
