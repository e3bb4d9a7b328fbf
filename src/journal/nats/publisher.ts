import { JetStreamApiCodes } from '@nats-io/jetstream';
import { errors, type Msg, type MsgHdrs } from '@nats-io/transport-node';
import { NO_RESPONDERS, type ReplyInbox } from './reply-inbox.js';

/** One message, identified by the `Nats-Msg-Id` among its headers. */
export interface Publication {
  readonly stream: string;
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: MsgHdrs;
  /** Stored only when the stream's last message has this number. */
  readonly lastSeq?: number;
  /** Stored only when the last message on the subject has this number; 0 when there must be none. */
  readonly lastSubjectSeq?: number;
}

/**
 * `refused`: not stored, for certain. `isUnfit` means that this server will never store this message as it is;
 * `isUnserved`, that no stream takes messages on that subject, for example because it was deleted. `conflict`: not
 * stored, because the last message was not the expected one. `ambiguous`: it is unknown whether it was
 * stored.
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

/** What a publisher needs of its connection. */
export interface PublisherConnection {
  readonly up: boolean;
  /** Why it is not up. */
  readonly reason: string;
  /** Only while it is up. */
  readonly replies: ReplyInbox;
}

/** Publishes to streams, one try at a time, and returns what is known about each. */
export class JetStreamPublisher {
  readonly #connection: PublisherConnection;

  constructor(connection: PublisherConnection) {
    this.#connection = connection;
  }

  async attempt(publication: Publication, timeoutMs: number): Promise<PublishOutcome> {
    const { up, reason } = this.#connection;
    if (!up) return { verdict: 'refused', reason, isUnfit: false, isUnserved: false };
    const { stream, subject, payload, headers, lastSeq, lastSubjectSeq } = publication;
    headers.set('Nats-Expected-Stream', stream);
    if (lastSeq !== undefined) headers.set('Nats-Expected-Last-Sequence', String(lastSeq));
    if (lastSubjectSeq !== undefined) {
      headers.set('Nats-Expected-Last-Subject-Sequence', String(lastSubjectSeq));
    }
    try {
      return outcomeOf(
        await this.#connection.replies.request(subject, payload, headers, timeoutMs),
        stream,
      );
    } catch (error) {
      const { message, name } = error as Error;
      const why = `NATS: ${message || name}`;
      if (!isUnsent(error)) return { verdict: 'ambiguous', reason: why };
      const isUnfit = error instanceof errors.InvalidArgumentError;
      return { verdict: 'refused', reason: why, isUnfit, isUnserved: false };
    }
  }
}

/** The bytes were never sent: the connection is closed, or the message is longer than the server's `max_payload`. */
function isUnsent(error: unknown): boolean {
  return (
    error instanceof errors.ClosedConnectionError || error instanceof errors.InvalidArgumentError
  );
}

/** The server's answer to a message: nats-server, server/stream.go, JSPubAckResponse. */
interface PubAck {
  readonly stream?: string;
  readonly seq?: number;
  readonly error?: { readonly err_code: number; readonly description: string };
}

function outcomeOf(answer: Msg, stream: string): PublishOutcome {
  if (answer.data.length === 0 && answer.headers?.code === NO_RESPONDERS) {
    return refusal(`no stream takes messages for ${stream}`, false, true);
  }
  const { error, seq, stream: storedIn } = answer.json<PubAck>();
  if (error !== undefined) {
    const { err_code: code, description } = error;
    if (CONFLICTS.includes(code)) return { verdict: 'conflict', reason: `NATS: ${description}` };
    return refusal(
      description,
      UNFIT_CODES.includes(code),
      code === JetStreamApiCodes.JetStreamNotEnabledForAccount,
    );
  }
  // Something other than the stream answered: it is unknown whether the message was stored.
  if (storedIn !== stream || seq === undefined)
    throw new Error('the answer is not an acknowledgement');
  return { verdict: 'stored', seq };
}

function refusal(why: string, isUnfit: boolean, isUnserved: boolean): PublishOutcome {
  return { verdict: 'refused', reason: `NATS: ${why}`, isUnfit, isUnserved };
}
