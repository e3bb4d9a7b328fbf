import { JetStreamApiError, type JetStreamManager } from '@nats-io/jetstream';
import type { MsgHdrs } from '@nats-io/transport-node';
import { EXIT, OperatorFault } from '../../model/fault.js';
import type { NatsFiles } from '../../model/options.js';
import type { UnreadableEntry, UnreadableStore } from '../../model/unreadable.js';
import { type JetStreamConnection, managerOf } from '../nats/connection.js';
import { readDeadLetter } from '../nats/headers.js';
import { type JetStreamNames, jetStreamNames } from '../nats/names.js';
import { storedMessages } from '../nats/stream-reader.js';
import { setAside } from '../store/set-aside.js';
import { connectForCommand } from './dead-letters.js';

/** A message as it is in one of the streams. */
interface Found extends UnreadableEntry {
  readonly stream: string;
  readonly seq: number;
  readonly headers: MsgHdrs | undefined;
  readonly payload: Uint8Array;
}

/**
 * What cannot be read in a JetStream journal: messages that are no frames or damaged, which the drain has moved to a
 * stream of their own, and dead letters that are not as they were written.
 */
class JetStreamUnreadable implements UnreadableStore {
  readonly #connection: JetStreamConnection;
  readonly #names: JetStreamNames;
  readonly #folder: string;

  /** @param folder where `setAside` writes files */
  constructor(connection: JetStreamConnection, names: JetStreamNames, folder: string) {
    this.#connection = connection;
    this.#names = names;
    this.#folder = folder;
  }

  async *list(): AsyncIterable<UnreadableEntry> {
    for await (const { id, place, what, name, reason, bytes } of this.#all()) {
      yield { id, place, what, name, reason, bytes };
    }
  }

  /** The file first: a crash in between leaves both. */
  async *setAside(ids: readonly string[] | null) {
    for await (const found of this.#all()) {
      if (ids !== null && !ids.includes(found.id)) continue;
      const { id, what, name, reason, stream, seq, headers, payload } = found;
      const facts = { what, name, reason, from: `message ${seq} of ${stream}` };
      const bytes = Buffer.concat([Buffer.from(`${headerLines(headers)}\n`), payload]);
      const path = this.#written(() => setAside(this.#folder, id, 'damaged', facts, bytes));
      await remove(await managerOf(this.#connection.nc), stream, seq);
      yield { id, path };
    }
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  #written(write: () => string): string {
    try {
      return write();
    } catch (error) {
      const { message } = error as Error;
      throw new OperatorFault(`data folder ${this.#folder}: ${message}`, EXIT.failed);
    }
  }

  async *#all(): AsyncIterable<Found> {
    const { nc } = this.#connection;
    const { foreignStream, deadStream } = this.#names;
    for await (const { seq, headers, payload } of storedMessages(nc, foreignStream)) {
      const name = headers?.get('Was-Nats-Msg-Id') ?? '';
      const reason = headers?.get('Forebay-Reason') || 'its headers were too long to keep';
      yield found(foreignStream, seq, 'message', name, reason, headers, payload);
    }
    const prefix = this.#names.deadSubject('');
    for await (const { seq, subject, headers, payload } of storedMessages(nc, deadStream)) {
      const orderId = subject.slice(prefix.length);
      try {
        readDeadLetter(orderId, headers, payload);
      } catch (error) {
        const { message } = error as Error;
        yield found(deadStream, seq, 'dead letter', orderId, message, headers, payload);
      }
    }
  }
}

function found(
  stream: string,
  seq: number,
  what: string,
  name: string,
  reason: string,
  headers: MsgHdrs | undefined,
  payload: Uint8Array,
): Found {
  const id = `${stream}-${seq}`;
  const bytes = payload.length;
  return { id, place: 'journal', what, name, reason, bytes, stream, seq, headers, payload };
}

/** One line each, as they were. */
function headerLines(headers: MsgHdrs | undefined): string {
  const lines = [];
  for (const [name, values] of headers ?? []) {
    for (const value of values) lines.push(`${name}: ${value}\n`);
  }
  return lines.join('');
}

/** Nothing to do when it is already gone. */
async function remove(manager: JetStreamManager, stream: string, seq: number): Promise<void> {
  try {
    await manager.streams.deleteMessage(stream, seq, false);
  } catch (error) {
    const isGone =
      error instanceof JetStreamApiError &&
      (await manager.streams.getMessage(stream, { seq })) === null;
    if (!isGone) throw error;
  }
}

/**
 * @param folder where `setAside` writes files
 * @throws OperatorFault NATS does not answer, or has no such journal
 */
export async function openJetStreamUnreadable(
  servers: readonly string[],
  stream: string,
  folder: string,
  files: NatsFiles,
): Promise<UnreadableStore> {
  const names = jetStreamNames(stream);
  const streams = [names.foreignStream, names.deadStream];
  const connection = await connectForCommand(servers, streams, files);
  return new JetStreamUnreadable(connection, names, folder);
}
