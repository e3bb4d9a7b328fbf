import type { DeadLetterStore } from '../../model/dead-letters.js';
import { EXIT, OperatorFault } from '../../model/fault.js';
import type { Options } from '../../model/options.js';
import type { LocalDeadLettersParts } from './local-dead-letters.js';

/**
 * The dead letters of the journal that the options name. Creates nothing, and takes no claim on anything: the
 * server may run.
 *
 * @throws OperatorFault there is no journal, or it does not answer
 */
export async function openDeadLetters(
  options: Pick<Options, 'nats' | 'natsStream' | 'data'>,
  parts: LocalDeadLettersParts,
): Promise<DeadLetterStore> {
  // Each loaded only where it is used.
  if (options.nats.length > 0) {
    const { reachJetStream } = await import('./dead-letters-reach.js');
    const { JetStreamDeadLetters } = await import('./jetstream-dead-letters.js');
    const { connection, names } = await reachJetStream(options.nats, options.natsStream);
    return new JetStreamDeadLetters(connection, names, parts.log);
  }
  const { LocalStore, hasJournal } = await import('../local/local-store.js');
  const { LocalDeadLetters } = await import('./local-dead-letters.js');
  if (!hasJournal(options.data)) {
    throw new OperatorFault(
      `data folder ${options.data} holds no journal: name the server's with --data, or its NATS servers with --nats`,
      EXIT.failed,
    );
  }
  return new LocalDeadLetters(new LocalStore(options.data, { mustExist: true }), parts);
}
