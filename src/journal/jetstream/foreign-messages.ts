import { setTimeout as sleep } from 'node:timers/promises';
import { headers, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import type { Log } from '../../model/log.js';
import type { JetStreamConnection } from '../nats/connection.js';
import type { AckableMessage } from '../nats/message.js';
import type { JetStreamNames } from '../nats/names.js';
import type { StreamRepair } from '../nats/stream-repair.js';

/** Stored at once. */
const MOVES_MAX = 16;
const ATTEMPT_MS_MAX = 2000;
const RETRY_MS = 1000;

/**
 * Beside the headers themselves: the head line, the empty line, and the header with the expected stream; colon, space
 * and line end of each header.
 */
const HEAD_BYTES_MAX = 512;
const HEADER_BYTES = 4;

const PART = 'stream of foreign messages';

interface Waiting {
  readonly message: AckableMessage;
  readonly why: string;
}

export interface ForeignMessagesParts {
  readonly connection: JetStreamConnection;
  readonly names: JetStreamNames;
  readonly repair: StreamRepair;
  /** Called once for each message. */
  readonly onForeign: () => void;
  readonly log: Log;
}

/**
 * Messages on the journal's subjects that are not frames, written by other programs. Each is stored in a stream of
 * its own with the reason, and then leaves the journal's stream. There it would be redelivered forever, and a
 * thousand of them would stop the drain.
 */
export class ForeignMessages {
  readonly #parts: ForeignMessagesParts;
  /** Not moved yet, by sequence number. */
  readonly #waiting = new Map<number, Waiting>();
  #isMoving = false;
  #isClosed = false;

  constructor(parts: ForeignMessagesParts) {
    this.#parts = parts;
  }

  take(message: AckableMessage, why: string): void {
    if (!this.#waiting.has(message.seq)) {
      this.#parts.onForeign();
      this.#parts.log('frame-unreadable', `${why}; moved to ${this.#parts.names.foreignStream}`);
    }
    this.#waiting.set(message.seq, { message, why });
    if (!this.#isMoving) void this.#move();
  }

  keepAlive(nc: NatsConnection): void {
    for (const { message } of this.#waiting.values()) message.keepAlive(nc);
  }

  /** What was not moved is delivered again. */
  close(): void {
    this.#isClosed = true;
  }

  async #move(): Promise<void> {
    const { connection, repair } = this.#parts;
    this.#isMoving = true;
    while (this.#waiting.size > 0 && !this.#isClosed) {
      const some = [...this.#waiting.values()].slice(0, MOVES_MAX);
      const failures = (await Promise.all(some.map((waiting) => this.#moveOne(waiting)))).filter(
        Boolean,
      );
      if (failures.length === 0) {
        repair.served(PART);
        continue;
      }
      if (connection.up) await repair.repair(PART, failures[0]!);
      await sleep(RETRY_MS, undefined, { ref: false });
    }
    this.#isMoving = false;
  }

  /** Why it could not be moved; empty when it was. */
  async #moveOne({ message, why }: Waiting): Promise<string> {
    const { connection } = this.#parts;
    if (!connection.up) return connection.reason;
    const fault = await this.#store(message, why);
    if (fault !== '') return fault;
    // If this ack is lost, the message is delivered again and stored under the same id, once.
    if (connection.up) message.ack(connection.nc);
    if (this.#waiting.get(message.seq)?.message === message) this.#waiting.delete(message.seq);
    return '';
  }

  /** Why it was not stored, or may not have been; empty when it was. */
  async #store(message: AckableMessage, why: string): Promise<string> {
    const { connection, names } = this.#parts;
    const { payload } = message;
    const [stream, subject] = [names.foreignStream, names.foreignSubject];
    const headers = foreignHeaders(message, why);
    const bytesMax = connection.nc.info?.max_payload ?? 0;
    if (headersBytes(headers) + payload.length > bytesMax) return this.#storeBare(subject, payload);
    const publication = { stream, subject, payload, headers };
    const outcome = await connection.publisher.attempt(publication, ATTEMPT_MS_MAX);
    return outcome.verdict === 'stored' ? '' : outcome.reason;
  }

  /** With the headers it would be longer than the server takes. */
  async #storeBare(subject: string, payload: Uint8Array): Promise<string> {
    try {
      const { nc } = this.#parts.connection;
      const answer = await nc.request(subject, payload, { timeout: ATTEMPT_MS_MAX });
      const { error } = answer.json<{ error?: { description: string } }>();
      return error?.description ?? '';
    } catch (error) {
      return (error as Error).message || (error as Error).name;
    }
  }
}

/**
 * The headers that the message had, its subject, and why it is not a frame. The server interprets headers that begin
 * with `Nats-`, so those are renamed.
 */
function foreignHeaders(message: AckableMessage, why: string): MsgHdrs {
  const out = headers();
  for (const [name, values] of message.headers ?? []) {
    for (const value of values) out.append(/^nats-/i.test(name) ? `Was-${name}` : name, value);
  }
  out.set('Nats-Msg-Id', `foreign-${message.seq}-${message.storedAtNs}`);
  out.set('Forebay-Reason', why);
  out.set('Forebay-Subject', message.subject);
  return out;
}

function headersBytes(found: MsgHdrs): number {
  let bytes = HEAD_BYTES_MAX;
  for (const [name, values] of found) {
    for (const value of values) {
      bytes += Buffer.byteLength(name) + Buffer.byteLength(value) + HEADER_BYTES;
    }
  }
  return bytes;
}
