import { headers } from '@nats-io/transport-node';
import type { Log } from '../../model/log.js';
import { type JetStreamConnection, managerOf } from '../nats/connection.js';
import { storedHeaders } from '../nats/message.js';
import type { JetStreamNames } from '../nats/names.js';
import type { PublishOutcome } from '../nats/publisher.js';
import type { StreamRepair } from '../nats/stream-repair.js';
import { requireSum, setSum } from '../nats/sum.js';
import { decodeRegister, encodeRegister, type Register } from './register.js';

const PART = 'drain register';

/** A lease is extended by an answer: one that takes longer is of no use. */
const ANSWER_MS_MAX = 1500;

/** The last message of the stream; `register` is null when there is none, or none that can be read. */
export interface FoundRegister {
  readonly seq: number;
  readonly register: Register | null;
}

/** The stream of the register. A version is stored only on top of the one that its writer has read. */
export class RegisterStream {
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
    this.#connection = connection;
    this.#names = names;
    this.#repair = repair;
    this.#log = log;
  }

  /** @throws Error NATS does not answer */
  async read(): Promise<FoundRegister> {
    const { drainStream, drainSubject } = this.#names;
    const manager = await managerOf(this.#connection.nc, { timeout: ANSWER_MS_MAX });
    const found = await manager.streams
      .getMessage(drainStream, { last_by_subj: drainSubject })
      .catch(async (error) => {
        await this.#repair.repairIfGone(PART, error);
        throw error;
      });
    this.#repair.served(PART);
    if (found === null) return { seq: 0, register: null };
    try {
      requireSum(storedHeaders(found), [], found.data, true);
      return { seq: found.seq, register: decodeRegister(found.data) };
    } catch (error) {
      const { message } = error as Error;
      this.#log(
        'drain-register-unreadable',
        `message ${found.seq} of ${drainStream} is replaced: ${message}`,
      );
      return { seq: found.seq, register: null };
    }
  }

  /** @param baseSeq number of the message that it replaces; 0 for none */
  async write(register: Register, baseSeq: number): Promise<PublishOutcome> {
    const { drainStream, drainSubject } = this.#names;
    const payload = encodeRegister(register);
    const head = headers();
    setSum(head, [], payload);
    const publication = {
      stream: drainStream,
      subject: drainSubject,
      payload,
      headers: head,
      lastSubjectSeq: baseSeq,
    };
    const outcome = await this.#connection.publisher.attempt(publication, ANSWER_MS_MAX);
    if (outcome.verdict === 'stored') this.#repair.served(PART);
    if (outcome.verdict === 'refused' && outcome.isUnserved) {
      await this.#repair.repair(PART, outcome.reason);
    }
    return outcome;
  }
}
