import type { StoredMsg } from '@nats-io/jetstream';
import { headers, type Msg, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import { managerOf } from './connection.js';
import { NO_RESPONDERS, type ReplyInbox } from './reply-inbox.js';

/** A message of the stream, with the ways to tell the server what became of it. */
export interface AckableMessage {
  readonly subject: string;
  readonly headers: MsgHdrs | undefined;
  readonly payload: Uint8Array;
  /** Its sequence number in the stream, which identifies it there. */
  readonly seq: number;
  /** When it was stored, nanoseconds since the epoch. */
  readonly storedAtNs: string;
  /**
   * Removes it from the stream. Rejects when the server does not confirm within `timeoutMs`.
   * @param replies receives the confirmation when the message came from a consumer
   */
  ackConfirmed(nc: NatsConnection, replies: ReplyInbox, timeoutMs: number): Promise<void>;
  /** The same, unconfirmed. */
  ack(nc: NatsConnection): void;
  /** Returns it to the server, to be delivered again in `delayMs`. */
  nak(nc: NatsConnection, delayMs: number): void;
  /** Restarts its ack_wait. */
  keepAlive(nc: NatsConnection): void;
}

/**
 * A message that a consumer was given. Its reply subject takes the acknowledgement:
 * `$JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>...`, or with domain and account hash before the stream
 * (docs.nats.io, "NATS JetStream API reference", and ADR-15).
 */
export class StreamMessage implements AckableMessage {
  readonly subject: string;
  readonly headers: MsgHdrs | undefined;
  readonly payload: Uint8Array;
  readonly seq: number;
  readonly storedAtNs: string;
  readonly #reply: string;

  constructor(message: Msg) {
    this.subject = message.subject;
    this.headers = readable(() => message.headers);
    this.payload = message.data;
    this.#reply = message.reply ?? '';
    const tokens = this.#reply.split('.');
    const seqAt = tokens.length === 9 ? 5 : 7;
    this.seq = Number(tokens[seqAt]);
    this.storedAtNs = tokens[seqAt + 2] ?? '';
  }

  async ackConfirmed(_nc: NatsConnection, replies: ReplyInbox, timeoutMs: number): Promise<void> {
    const answer = await replies.request(this.#reply, '+ACK', undefined, timeoutMs);
    if (answer.headers?.code === NO_RESPONDERS) throw new Error('the consumer is gone');
  }

  ack(nc: NatsConnection): void {
    nc.publish(this.#reply, '+ACK');
  }

  nak(nc: NatsConnection, delayMs: number): void {
    const body = delayMs > 0 ? `-NAK {"delay": ${Math.ceil(delayMs * 1e6)}}` : '-NAK';
    nc.publish(this.#reply, body);
  }

  keepAlive(nc: NatsConnection): void {
    nc.publish(this.#reply, '+WPI');
  }
}

/** What a consumer has delivered; see `consumers.info`. */
export interface Delivered {
  readonly stream: string;
  readonly consumer: string;
  /** The last of its deliveries. */
  readonly consumerSeq: number;
}

/**
 * Returns messages to the server although they were delivered to another process: it delivers them again at once. The
 * server (2.9 to 2.15, `processNak` of consumer.go) asks only whether the message is pending and the number of the
 * delivery is in range. What is not pending is ignored. Whoever acknowledges the message afterwards still removes it.
 */
export function nakDelivered(
  nc: NatsConnection,
  { stream, consumer, consumerSeq }: Delivered,
  seq: number,
): void {
  nc.publish(`$JS.ACK.${stream}.${consumer}.1.${seq}.${consumerSeq}.0.0`, '-NAK');
}

/**
 * Deletes a message if it still has this id (empty: no id): the sequence numbers of a stream that was recreated start
 * again.
 * @throws Error NATS does not answer
 */
export async function removeMessage(
  nc: NatsConnection,
  stream: string,
  seq: number,
  messageId: string,
): Promise<void> {
  const manager = await managerOf(nc);
  const found = await manager.streams.getMessage(stream, { seq });
  if (found === null || storedHeaders(found).get('Nats-Msg-Id') !== messageId) return;
  await manager.streams.deleteMessage(stream, seq, false);
}

/** The headers of a message that was read by its number; empty when they are not as headers should be. */
export function storedHeaders(found: StoredMsg): MsgHdrs {
  return readable(() => found.header) ?? headers();
}

/**
 * The client reads headers when they are asked for, and throws when a name has an impossible character: any program can
 * write such a message. Thrown while a message is received, that would end the client's reading for good.
 */
function readable(read: () => MsgHdrs | undefined): MsgHdrs | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
