import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';

/**
 * Deletes a message, if what stands there is still the one of that id (empty: of none): a stream that was made anew
 * numbers from the beginning.
 *
 * @throws Error when NATS does not answer
 */
export async function removeMessage(
  nc: NatsConnection,
  stream: string,
  seq: number,
  messageId: string,
): Promise<void> {
  const manager = await jetstreamManager(nc, { checkAPI: false });
  const found = await manager.streams.getMessage(stream, { seq });
  if (found === null || found.header.get('Nats-Msg-Id') !== messageId) return;
  await manager.streams.deleteMessage(stream, seq, false);
}
