import { AckPolicy, DeliverPolicy, type JetStreamManager } from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';
import { managerOf } from './connection.js';
import type { StreamMessage } from './message.js';
import { JetStreamPull } from './pull.js';

/** Messages asked for at once, and so held at once. */
const PAGE_MESSAGES = 256;

/** How long the server remembers a reader that was killed; one that pauses for longer is made anew. */
const READER_MS = 60_000;

/** In vain, one after the other: a reader that was lost while it paused takes one. */
const TRIES_MAX = 3;

/**
 * The messages that a stream holds now, in its order. What comes in meanwhile is not waited for, and none
 * that was there is left out in silence.
 *
 * @throws Error the connection is lost, or the server does not answer
 */
export async function* storedMessages(
  nc: NatsConnection,
  stream: string,
): AsyncIterable<StreamMessage> {
  const manager = await managerOf(nc);
  const { state } = await manager.streams.info(stream);
  // A stream that never held anything begins at 0, which no message has.
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
  /** Until the server has none left, or has forgotten the reader. */
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
    // One that is forgotten is not at its end; neither is one whose request was lost.
    isAtEnd: () =>
      manager.consumers.info(stream, name).then(
        ({ num_pending }) => num_pending === 0,
        () => false,
      ),
    // The server forgets it by itself when it cannot be told.
    close: async () => void (await manager.consumers.delete(stream, name).catch(() => false)),
  };
}
