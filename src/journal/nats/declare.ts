import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ConsumerInfo,
  type JetStreamAccountStats,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  type StreamInfo,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { EXIT, OperatorFault } from '../../model/fault.js';
import { managerOf } from './connection.js';
import type { Declaration } from './declarations.js';
import { accountFault, creationFault, isOverlap, requireRoom } from './limits.js';
import { requireCreatable } from './permissions.js';
import { differenceOf } from './settings.js';

/** How often, and at what interval, a stream is looked for that another process may be creating. */
const APPEAR_TRIES = 10;
const APPEAR_MS = 50;

/**
 * Creates missing streams and consumers, and checks that existing ones have the settings that the journal relies on;
 * those are never changed. Several threads may do so at once: creating what another thread has just created with the
 * same settings is not an error.
 * @param onCreated called for each stream or consumer that was created
 * @throws OperatorFault one exists with other settings
 */
export async function declareJournal(
  nc: NatsConnection,
  wanted: readonly Declaration[],
  replicas: number,
  onCreated: (declaration: Declaration) => void = () => {},
): Promise<void> {
  const manager = await managerOf(nc);
  const stats = await accountStats(manager);
  const missing: Declaration[] = [];
  for (const declaration of wanted) {
    if (await isMissing(manager, replicas, declaration)) missing.push(declaration);
  }
  requireRoom(stats, missing, replicas);
  await requireCreatable(nc, missing);
  for (const declaration of missing) {
    await create(manager, replicas, declaration);
    onCreated(declaration);
  }
}

/**
 * What the account uses, and its limits.
 * @throws OperatorFault the account has no JetStream
 */
export async function accountStats(manager: JetStreamManager): Promise<JetStreamAccountStats> {
  try {
    return await manager.getAccountInfo();
  } catch (error) {
    throw accountFault(error) ?? error;
  }
}

/** @throws OperatorFault it exists with other settings */
async function isMissing(
  manager: JetStreamManager,
  replicas: number,
  declaration: Declaration,
): Promise<boolean> {
  const found = await findDeclared(manager, declaration);
  if (found === null) return true;
  const difference = differenceOf(declaration, found, replicas);
  if (difference === '') return false;
  throw new OperatorFault(`${difference}; change it, or name another stream`, EXIT.usage);
}

/** @throws OperatorFault the server refuses it, and will refuse it again */
async function create(
  manager: JetStreamManager,
  replicas: number,
  declaration: Declaration,
): Promise<void> {
  const { name } = declaration;
  try {
    if (declaration.kind === 'stream') {
      await manager.streams.add({ name, num_replicas: replicas, ...declaration.wanted });
    } else {
      await manager.consumers.add(declaration.stream, {
        durable_name: name,
        ...declaration.wanted,
      });
    }
  } catch (error) {
    if (isOverlap(error) && (await appears(manager, replicas, declaration))) return;
    throw creationFault(error, declaration) ?? error;
  }
}

/** Whether another process has created it meanwhile. @throws OperatorFault with other settings */
async function appears(
  manager: JetStreamManager,
  replicas: number,
  declaration: Declaration,
): Promise<boolean> {
  for (let i = 0; i < APPEAR_TRIES; i++) {
    if (!(await isMissing(manager, replicas, declaration))) return true;
    await sleep(APPEAR_MS);
  }
  return false;
}

/** Null when it does not exist. A consumer of a missing stream does not exist either. */
export function findDeclared(
  manager: JetStreamManager,
  declaration: Declaration,
): Promise<StreamInfo | ConsumerInfo | null> {
  return declaration.kind === 'stream'
    ? manager.streams.info(declaration.name).catch(nullWhen(JetStreamApiCodes.StreamNotFound))
    : manager.consumers
        .info(declaration.stream, declaration.name)
        .catch(nullWhen(JetStreamApiCodes.StreamNotFound, JetStreamApiCodes.ConsumerNotFound));
}

function nullWhen(...codes: readonly number[]): (error: unknown) => null {
  return (error) => {
    if (error instanceof JetStreamApiError && codes.includes(error.code)) return null;
    throw error;
  };
}
