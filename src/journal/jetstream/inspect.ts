import {
  type ConsumerInfo,
  type JetStreamAccountStats,
  type JetStreamManager,
  StorageType,
  type StreamInfo,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { OperatorFault } from '../../model/fault.js';
import type { DeclaredFacts, JetStreamFacts } from '../../model/journal-facts.js';
import type { NatsFiles, Options } from '../../model/options.js';
import { JetStreamConnection, managerOf } from '../nats/connection.js';
import { type Declaration, declarations } from '../nats/declarations.js';
import { accountStats, findDeclared } from '../nats/declare.js';
import { askDurability, type StorageSettings } from '../nats/durability.js';
import { requireRoom, tryLimits } from '../nats/limits.js';
import { jetStreamNames } from '../nats/names.js';
import { requireCreatable, requirePermissions } from '../nats/permissions.js';
import { natsServers } from '../nats/servers.js';
import { differenceOf, pauseOf } from '../nats/settings.js';

/** Longer than one dial may take, so that the failure of the dial is reported. */
const REACH_MS_MAX = 3000;
const NO_LIMIT = -1;

export type JetStreamPlaces = Pick<
  Options,
  'nats' | 'natsStream' | 'natsReplicas' | 'natsMonitor' | 'frameBytesMax' | 'frameOrdersMax'
> &
  NatsFiles &
  Partial<Pick<Options, 'drain'>>;

/**
 * Looks at the NATS servers of the journal, and at what the journal has there. Leaves nothing behind: a stream that
 * shows the limits of the server is deleted at once.
 * @param connections that the process will have
 */
export async function inspectJetStream(
  places: JetStreamPlaces,
  connections = 1,
): Promise<JetStreamFacts> {
  let connection: JetStreamConnection | null = null;
  try {
    connection = connectionTo(places);
    await connection.whenUp(REACH_MS_MAX);
    if (!connection.up) return unasked(places, connection.reason);
    const facts = await inspect(connection, places);
    return { ...facts, connectionsFault: await connectionsFault(places, connections - 1) };
  } catch (error) {
    if (error instanceof OperatorFault) return unasked(places, '', error.message);
    return unasked(places, faultText(places, error as Error));
  } finally {
    await connection?.close();
  }
}

async function inspect(
  { nc }: JetStreamConnection,
  places: JetStreamPlaces,
): Promise<JetStreamFacts> {
  const names = jetStreamNames(places.natsStream);
  await requirePermissions(nc, names, places.drain ?? true);
  const manager = await managerOf(nc, { timeout: REACH_MS_MAX });
  const askedAtMs = Date.now();
  const stats = await accountStats(manager);
  const declared = [];
  const missing = [];
  const wanted = declarations(names, places);
  for (const declaration of wanted) {
    const facts = await inspectOne(manager, declaration, places.natsReplicas);
    declared.push(facts);
    if (!facts.exists) missing.push(declaration);
  }
  const isUsable = declared.every(({ difference }) => difference === '');
  const monitoring = { servers: places.nats, monitors: places.natsMonitor };
  return {
    shown: natsServers(places.nats).shown,
    fault: '',
    connectionsFault: '',
    refusal: isUsable ? await refusalOf(nc, stats, missing, places.natsReplicas) : '',
    version: nc.info?.version ?? '',
    declared,
    storageBytes: stats.storage,
    storageBytesMax: stats.limits.max_storage,
    messageBytesMax: nc.info?.max_payload ?? 0,
    clockAheadMs: await clockAheadMs(manager, places.natsStream, askedAtMs),
    durability: await askDurability(
      nc,
      await storageSettingsOf(manager, wanted[0]!, places),
      monitoring,
    ),
  };
}

/** Opens so many more connections at once: a server or account can limit them. */
async function connectionsFault(places: JetStreamPlaces, more: number): Promise<string> {
  const opened = Array.from({ length: more }, () => connectionTo(places));
  try {
    await Promise.all(opened.map((connection) => connection.whenUp(REACH_MS_MAX)));
    const refused = opened.filter(({ up }) => !up);
    if (refused.length === 0) return '';
    return `${more + 1} connections are needed, ${refused.length} are refused: ${refused[0]!.reason}`;
  } finally {
    await Promise.all(opened.map((connection) => connection.close()));
  }
}

function connectionTo(places: JetStreamPlaces): JetStreamConnection {
  return new JetStreamConnection({
    servers: places.nats,
    files: places,
    clientName: 'forebay check',
    prepare: async () => {},
    log: () => {},
  });
}

/** Why what is missing cannot be created; empty when it can. */
async function refusalOf(
  nc: NatsConnection,
  stats: JetStreamAccountStats,
  missing: readonly Declaration[],
  replicas: number,
): Promise<string> {
  try {
    requireRoom(stats, missing, replicas);
    await requireCreatable(nc, missing);
    await tryLimits(nc, await managerOf(nc, { timeout: REACH_MS_MAX }), missing, replicas);
    return '';
  } catch (error) {
    if (error instanceof OperatorFault) return error.message;
    throw error;
  }
}

/** How orders are stored; if the stream does not exist, how they would be. */
async function storageSettingsOf(
  manager: JetStreamManager,
  orders: Declaration,
  { natsReplicas }: JetStreamPlaces,
): Promise<StorageSettings> {
  const found = (await findDeclared(manager, orders)) as StreamInfo | null;
  return found?.config ?? { num_replicas: natsReplicas, storage: StorageType.File };
}

async function inspectOne(
  manager: JetStreamManager,
  declaration: Declaration,
  replicas: number,
): Promise<DeclaredFacts> {
  const found = await findDeclared(manager, declaration);
  const { kind, name, role } = declaration;
  const stream = found !== null && kind === 'stream' ? (found as StreamInfo) : null;
  const consumer = found !== null && kind === 'consumer' ? (found as ConsumerInfo) : null;
  return {
    kind,
    name,
    role,
    exists: found !== null,
    difference: found === null ? '' : differenceOf(declaration, found, replicas),
    pause: found === null ? '' : pauseOf(declaration, found),
    messages: stream?.state.messages ?? 0,
    bytes: stream?.state.bytes ?? 0,
    messagesMax: stream?.config.max_msgs ?? NO_LIMIT,
    bytesMax: stream?.config.max_bytes ?? NO_LIMIT,
    replicas: stream?.config.num_replicas ?? 0,
    inHand: consumer?.num_ack_pending ?? 0,
  };
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

function unasked({ nats }: JetStreamPlaces, fault: string, refusal = ''): JetStreamFacts {
  return {
    shown: natsServers(nats).shown,
    fault,
    refusal,
    connectionsFault: '',
    version: '',
    declared: [],
    storageBytes: 0,
    storageBytesMax: NO_LIMIT,
    messageBytesMax: 0,
    clockAheadMs: null,
    durability: null,
  };
}
