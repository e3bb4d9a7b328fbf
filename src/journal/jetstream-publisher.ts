import { JetStreamApiError, type JetStreamClient, jetstream } from '@nats-io/jetstream';
import { errors, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import type { JetStreamConnection } from './jetstream-connection.js';

/** One message, told apart from all others by the `Nats-Msg-Id` among its headers. */
export interface Publication {
  readonly stream: string;
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: MsgHdrs;
}

/** `refused`: not stored, for certain. `ambiguous`: nobody knows. */
export type PublishOutcome =
  | { readonly verdict: 'stored' }
  | { readonly verdict: 'refused' | 'ambiguous'; readonly reason: string };

const STORED: PublishOutcome = { verdict: 'stored' };

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
    if (!up) return { verdict: 'refused', reason };
    const { stream, subject, payload, headers } = publication;
    let stopListening = () => {};
    try {
      const lost = new Promise<never>((_resolve, reject) => {
        stopListening = this.#connection.onChange(() => reject(new Error('connection lost')));
      });
      const options = { headers, timeout: timeoutMs, expect: { streamName: stream } };
      await Promise.race([this.#currentClient().publish(subject, payload, options), lost]);
      return STORED;
    } catch (error) {
      const { message, name } = error as Error;
      const verdict = isRefusal(error) ? 'refused' : 'ambiguous';
      return { verdict, reason: `NATS: ${message || name}` };
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

/** An answer of the server that is not an ack, or bytes that were never sent. */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof JetStreamApiError ||
    error instanceof errors.ClosedConnectionError ||
    error instanceof errors.InvalidArgumentError ||
    // Nobody listens on the subject: the stream is gone, or JetStream is not up.
    (error as Error).name === 'JetStreamNotEnabled'
  );
}
