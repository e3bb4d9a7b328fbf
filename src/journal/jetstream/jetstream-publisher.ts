import {
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamClient,
  jetstream,
} from '@nats-io/jetstream';
import { errors, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import type { JetStreamConnection } from './jetstream-connection.js';

/** One message, told apart from all others by the `Nats-Msg-Id` among its headers. */
export interface Publication {
  readonly stream: string;
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: MsgHdrs;
  /** Stored only when the stream's last message has this number. */
  readonly lastSeq?: number;
}

/**
 * `refused`: not stored, for certain. `isUnfit` says that this server will not store this message at any other time
 * either, `isUnserved` that nobody takes messages on that subject: the stream is gone, say. `conflict`: not stored, because
 * the stream's last message was another than expected. `ambiguous`: nobody knows.
 */
export type PublishOutcome =
  | { readonly verdict: 'stored'; readonly seq: number }
  | {
      readonly verdict: 'refused';
      readonly reason: string;
      readonly isUnfit: boolean;
      readonly isUnserved: boolean;
    }
  | { readonly verdict: 'conflict' | 'ambiguous'; readonly reason: string };

/** The message is longer than the stream takes, or its headers are over 64 KiB: server/errors.json of nats-server. */
const UNFIT_CODES: readonly number[] = [10_054, 10_097];

const CONFLICTS: readonly number[] = [
  JetStreamApiCodes.StreamWrongLastSequence,
  JetStreamApiCodes.StreamWrongLastSequenceUnknown,
];

/** Nobody listens on the subject: the stream is gone, or JetStream is not up. */
const UNSERVED = 'JetStreamNotEnabled';

/** Publishes to a stream, one try at a time, and says what is known about each. */
export class JetStreamPublisher {
  readonly #connection: JetStreamConnection;
  #client: JetStreamClient | null = null;
  #clientOf: NatsConnection | null = null;

  constructor(connection: JetStreamConnection) {
    this.#connection = connection;
  }

  async attempt(publication: Publication, timeoutMs: number): Promise<PublishOutcome> {
    const { up, reason } = this.#connection;
    if (!up) return { verdict: 'refused', reason, isUnfit: false, isUnserved: false };
    const { stream, subject, payload, headers, lastSeq } = publication;
    let stopListening = () => {};
    try {
      const lost = new Promise<never>((_resolve, reject) => {
        stopListening = this.#connection.onChange(() => reject(new Error('connection lost')));
      });
      const expect = {
        streamName: stream,
        ...(lastSeq === undefined ? {} : { lastSequence: lastSeq }),
      };
      const options = { headers, timeout: timeoutMs, expect };
      const publish = this.#currentClient().publish(subject, payload, options);
      const { seq } = await Promise.race([publish, lost]);
      return { verdict: 'stored', seq };
    } catch (error) {
      const { message, name } = error as Error;
      const isUnserved = name === UNSERVED;
      const why = isUnserved ? `nobody takes messages for stream ${stream}` : message || name;
      const reason = `NATS: ${why}`;
      if (isConflict(error)) return { verdict: 'conflict', reason };
      if (!isRefusal(error)) return { verdict: 'ambiguous', reason };
      return { verdict: 'refused', reason, isUnfit: isUnfit(error), isUnserved };
    } finally {
      stopListening();
    }
  }

  #currentClient(): JetStreamClient {
    const { nc } = this.#connection;
    if (this.#client === null || this.#clientOf !== nc) {
      this.#client = jetstream(nc);
      this.#clientOf = nc;
    }
    return this.#client;
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof JetStreamApiError && CONFLICTS.includes(error.code);
}

/** The client itself refuses what is longer than the server's `max_payload`. */
function isUnfit(error: unknown): boolean {
  return error instanceof JetStreamApiError
    ? UNFIT_CODES.includes(error.code)
    : error instanceof errors.InvalidArgumentError;
}

/** An answer of the server that is not an ack, or bytes that were never sent. */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof JetStreamApiError ||
    error instanceof errors.ClosedConnectionError ||
    error instanceof errors.InvalidArgumentError ||
    (error as Error).name === UNSERVED
  );
}
