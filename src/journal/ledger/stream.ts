import type { JetStreamManager } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import type { Log } from '../../model/log.js';
import { type JetStreamConnection, managerOf } from '../nats/connection.js';
import { storedHeaders } from '../nats/message.js';
import type { JetStreamNames } from '../nats/names.js';
import type { Publication, PublishOutcome } from '../nats/publisher.js';
import type { StreamRepair } from '../nats/stream-repair.js';
import { requireSum, setSum } from '../nats/sum.js';
import { decodeEntry, encodeEntry, type LedgerEntry } from './entry.js';

const ATTEMPT_MS_MAX = 2000;

/** Entries requested at once while catching up. */
const READS_MAX = 64;

/** The extent of the ledger. */
export interface LedgerExtent {
  /** Distinguishes a stream from an earlier one of the same name. */
  readonly created: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

const PART = 'ledger';

/** The payload and headers of an entry. */
export function entryMessage(entry: LedgerEntry): Pick<Publication, 'payload' | 'headers'> {
  const payload = encodeEntry(entry);
  const head = headers();
  setSum(head, [], payload);
  return { payload, headers: head };
}

/** The stream of the ledger. Only a process that has read all of it can append. */
export class LedgerStream {
  readonly #connection: JetStreamConnection;
  readonly #names: JetStreamNames;
  readonly #repair: StreamRepair;
  readonly #log: Log;

  constructor(
    connection: JetStreamConnection,
    names: JetStreamNames,
    repair: StreamRepair,
    log: Log,
  ) {
    this.#log = log;
    this.#connection = connection;
    this.#names = names;
    this.#repair = repair;
  }

  /** `conflict` when the last entry is not number `lastSeq`, or the stream was missing. */
  async append(entry: LedgerEntry, lastSeq: number): Promise<PublishOutcome> {
    const { ledgerStream, ledgerSubject } = this.#names;
    const publication = {
      ...entryMessage(entry),
      stream: ledgerStream,
      subject: ledgerSubject,
      lastSeq,
    };
    const outcome = await this.#connection.publisher.attempt(publication, ATTEMPT_MS_MAX);
    if (outcome.verdict === 'stored') this.#repair.served(PART);
    if (outcome.verdict !== 'refused' || !outcome.isUnserved) return outcome;
    // Going on without a ledger would let other processes claim the same frames: it is recreated and read.
    await this.#repair.repair(PART, outcome.reason);
    return { verdict: 'conflict', reason: outcome.reason };
  }

  /** @throws Error NATS does not answer */
  async extent(): Promise<LedgerExtent> {
    const manager = await this.#manager();
    const info = await manager.streams.info(this.#names.ledgerStream).catch(async (error) => {
      await this.#repair.repairIfGone(PART, error);
      throw error;
    });
    this.#repair.served(PART);
    const { state, created } = info;
    return { created: String(created), firstSeq: state.first_seq, lastSeq: state.last_seq };
  }

  /**
   * The entries from one number to another, both included, in order, with their numbers; expired ones are skipped.
   * @throws Error NATS does not answer
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
      requireSum(storedHeaders(found), [], found.data);
      return decodeEntry(found.data);
    } catch (error) {
      // Written by another program, or damaged: it says nothing about frames.
      const { message } = error as Error;
      const { ledgerStream } = this.#names;
      this.#log('ledger-unreadable', `message ${seq} of ${ledgerStream} is ignored: ${message}`);
      return null;
    }
  }

  #manager(): Promise<JetStreamManager> {
    return managerOf(this.#connection.nc);
  }
}
