import { JetStreamApiCodes, JetStreamApiError, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { EXIT, OperatorFault } from '../../model/fault.js';
import { JetStreamConnection } from './connection.js';
import { type JetStreamNames, jetStreamNames } from './names.js';

/** Longer than one dial may take, so that its failure is what is told. */
const REACH_MS_MAX = 3000;

/**
 * Connects to a JetStream journal that is there, and gives up at the first failure: who types a command
 * wants to know, not to wait.
 *
 * @throws OperatorFault NATS does not answer, or has no such journal
 */
export async function reachJetStream(
  servers: readonly string[],
  stream: string,
): Promise<{ connection: JetStreamConnection; names: JetStreamNames }> {
  const names = jetStreamNames(stream);
  const connection = new JetStreamConnection({
    servers,
    clientName: 'forebay dlq',
    prepare: (nc) => requireJournal(nc, names),
    log: () => {},
  });
  await connection.whenUp(REACH_MS_MAX);
  if (connection.up) return { connection, names };
  const { reason } = connection;
  // Rejects when that is why; otherwise closing ends it.
  const refused = connection.ready;
  await connection.close();
  await refused;
  throw new OperatorFault(`${reason}; see --nats`, EXIT.failed);
}

async function requireJournal(nc: NatsConnection, names: JetStreamNames): Promise<void> {
  const manager = await jetstreamManager(nc, { timeout: REACH_MS_MAX });
  for (const stream of [names.stream, names.deadStream]) {
    try {
      await manager.streams.info(stream);
    } catch (error) {
      const { code } = error as JetStreamApiError;
      if (!(error instanceof JetStreamApiError) || code !== JetStreamApiCodes.StreamNotFound) {
        throw error;
      }
      throw new OperatorFault(
        `NATS has no stream ${stream}: name the server's with --nats-stream`,
        EXIT.failed,
      );
    }
  }
}
