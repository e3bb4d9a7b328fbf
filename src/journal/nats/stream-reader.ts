import { AckPolicy, DeliverPolicy, type JetStreamManager } from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';
import { managerOf } from './connection.js';
import type { StreamMessage } from './message.js';
import { JetStreamPull } from './pull.js';

/** Messages requested at once, and so held in memory at once. */
const PAGE_MESSAGES = 256;

/**
 * How long the server keeps the consumer of a reader that was killed; a reader that pauses for longer creates a new
 * one.
 */
const READER_MS = 60_000;

/** Failed tries in a row: losing the consumer during a pause costs one. */
const TRIES_MAX = 3;

/**
 * The messages that a stream has now, in order. Messages that arrive later are not included; none of the present ones
 * is skipped silently.
 * @throws Error the connection is lost, or the server does not answer
 */
export async function* storedMessages(
  nc: NatsConnection,
  stream: string,
): AsyncIterable<StreamMessage> {
  const manager = await managerOf(nc);
  const { state } = await manager.streams.info(stream);
  // An unused stream begins at 0, which is not a message.
  let nextSeq = Math.max(1, state.first_seq);
  for (let triesLeft = TRIES_MAX; nextSeq <= state.last_seq; triesLeft--) {
    if (triesLeft === 0) throw new Error(`stream ${stream} cannot be read to its end`);
    const reader = await openReader(nc, manager, stream, nextSeq);
    try {
      for await (const message of reader.messages()) {
        if (message.seq > state.last_seq) return;
        yield message;
        nextSeq = message.seq + 1;
        triesLeft = TRIES_MAX;
      }
      if (await reader.isAtEnd()) return;
    } finally {
      await reader.close();
    }
  }
}

interface Reader {
  /** Ends when the server has no more, or no longer knows the consumer. */
  messages(): AsyncIterable<StreamMessage>;
  isAtEnd(): Promise<boolean>;
  close(): Promise<void>;
}

async function openReader(
  nc: NatsConnection,
  manager: JetStreamManager,
  stream: string,
  fromSeq: number,
): Promise<Reader> {
  const { name } = await manager.consumers.add(stream, {
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: fromSeq,
    inactive_threshold: nanos(READER_MS),
    mem_storage: true,
  });
  let page: StreamMessage[] = [];
  const pull = new JetStreamPull(nc, stream, name, (message) => page.push(message));
  return {
    async *messages() {
      while ((await pull.request(PAGE_MESSAGES, 0)).received > 0) {
        const messages = page;
        page = [];
        yield* messages;
      }
    },
    // False when the consumer is gone, or the request was lost.
    isAtEnd: () =>
      manager.consumers.info(stream, name).then(
        ({ num_pending }) => num_pending === 0,
        () => false,
      ),
    // The server deletes it later when this request is lost.
    close: async () => void (await manager.consumers.delete(stream, name).catch(() => false)),
  };
}
