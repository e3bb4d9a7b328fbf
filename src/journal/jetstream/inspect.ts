import {
  type ConsumerInfo,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  StorageType,
  type StreamInfo,
} from '@nats-io/jetstream';
import type { DeclaredFacts, JetStreamFacts } from '../../model/journal-facts.js';
import type { Options } from '../../model/options.js';
import { JetStreamConnection, managerOf } from '../nats/connection.js';
import { type Declaration, declarations, differenceOf, findDeclared } from '../nats/declare.js';
import { askDurability, type StorageSettings } from '../nats/durability.js';
import { jetStreamNames } from '../nats/names.js';
import { natsServers } from '../nats/servers.js';

/** Longer than one dial may take, so that the failure of the dial is reported. */
const REACH_MS_MAX = 3000;
const NO_LIMIT = -1;

export type JetStreamPlaces = Pick<Options, 'nats' | 'natsStream' | 'natsReplicas' | 'natsMonitor'>;

/** Looks at the NATS servers of the journal, and at what the journal has there. Creates nothing. */
export async function inspectJetStream(places: JetStreamPlaces): Promise<JetStreamFacts> {
  const connection = new JetStreamConnection({
    servers: places.nats,
    clientName: 'forebay check',
    prepare: async () => {},
    log: () => {},
  });
  try {
    await connection.whenUp(REACH_MS_MAX);
    if (!connection.up) return unasked(places, connection.reason);
    return await inspect(connection, places);
  } catch (error) {
    return unasked(places, faultText(places, error as Error));
  } finally {
    await connection.close();
  }
}

async function inspect(
  { nc }: JetStreamConnection,
  places: JetStreamPlaces,
): Promise<JetStreamFacts> {
  const manager = await managerOf(nc, { checkAPI: true, timeout: REACH_MS_MAX });
  const askedAtMs = Date.now();
  const { storage, limits } = await manager.getAccountInfo();
  const declared = [];
  const wanted = declarations(jetStreamNames(places.natsStream));
  for (const declaration of wanted) {
    declared.push(await inspectOne(manager, declaration, places.natsReplicas));
  }
  const monitoring = { servers: places.nats, monitors: places.natsMonitor };
  return {
    shown: natsServers(places.nats).shown,
    fault: '',
    version: nc.info?.version ?? '',
    declared,
    storageBytes: storage,
    storageBytesMax: limits.max_storage,
    messageBytesMax: nc.info?.max_payload ?? 0,
    clockAheadMs: await clockAheadMs(manager, places.natsStream, askedAtMs),
    durability: await askDurability(
      nc,
      await storageSettingsOf(manager, wanted[0]!, places),
      monitoring,
    ),
  };
}

/** How orders are stored; if the stream does not exist, how they would be. */
async function storageSettingsOf(
  manager: JetStreamManager,
  orders: Declaration,
  { natsReplicas }: JetStreamPlaces,
): Promise<StorageSettings> {
  const found = (await findOrNone(manager, orders)) as StreamInfo | null;
  return found?.config ?? { num_replicas: natsReplicas, storage: StorageType.File };
}

async function inspectOne(
  manager: JetStreamManager,
  declaration: Declaration,
  replicas: number,
): Promise<DeclaredFacts> {
  const found = await findOrNone(manager, declaration);
  const { kind, name, role } = declaration;
  const stream = found !== null && kind === 'stream' ? (found as StreamInfo) : null;
  const consumer = found !== null && kind === 'consumer' ? (found as ConsumerInfo) : null;
  return {
    kind,
    name,
    role,
    exists: found !== null,
    difference: found === null ? '' : differenceOf(declaration, found, replicas),
    messages: stream?.state.messages ?? 0,
    bytes: stream?.state.bytes ?? 0,
    messagesMax: stream?.config.max_msgs ?? NO_LIMIT,
    bytesMax: stream?.config.max_bytes ?? NO_LIMIT,
    replicas: stream?.config.num_replicas ?? 0,
    inHand: consumer?.num_ack_pending ?? 0,
  };
}

/** A consumer of a missing stream does not exist either. */
async function findOrNone(manager: JetStreamManager, declaration: Declaration) {
  try {
    return await findDeclared(manager, declaration);
  } catch (error) {
    const { code } = error as JetStreamApiError;
    if (error instanceof JetStreamApiError && code === JetStreamApiCodes.StreamNotFound)
      return null;
    throw error;
  }
}

/** Since nats-server 2.10, the answer about a stream includes the server's time. */
async function clockAheadMs(
  manager: JetStreamManager,
  stream: string,
  askedAtMs: number,
): Promise<number | null> {
  const info = await manager.streams.info(stream).catch(() => null);
  const { ts } = (info ?? {}) as { ts?: string };
  if (ts === undefined) return null;
  const serverMs = Date.parse(ts);
  // The server's clock was read between request and answer.
  if (serverMs < askedAtMs) return serverMs - askedAtMs;
  return Math.max(0, serverMs - Date.now());
}

function faultText({ nats }: JetStreamPlaces, error: Error): string {
  return `NATS at ${natsServers(nats).shown}: ${error.message || error.name}`;
}

function unasked({ nats }: JetStreamPlaces, fault: string): JetStreamFacts {
  return {
    shown: natsServers(nats).shown,
    fault,
    version: '',
    declared: [],
    storageBytes: 0,
    storageBytesMax: NO_LIMIT,
    messageBytesMax: 0,
    clockAheadMs: null,
    durability: null,
  };
}
