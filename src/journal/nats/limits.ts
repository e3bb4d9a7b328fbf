/** Limits of a NATS server or account that are below what the journal needs. */
import {
  type AccountLimits,
  type JetStreamAccountStats,
  JetStreamApiError,
  type JetStreamManager,
  type StreamConfig,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { EXIT, OperatorFault } from '../../model/fault.js';
import { DEDUPE_WINDOW_MS, type Declaration, RETRY_ACK_PENDING_MAX } from './declarations.js';
import { maySetUp } from './permissions.js';
import { shownName } from './settings.js';

/** Error codes of nats-server, server/errors.json. */
const CODE = {
  invalidStream: 10_052,
  noPeers: 10_005,
  consumersMax: 10_026,
  streamsMax: 10_027,
  storage: 10_047,
  subjectsOverlap: 10_065,
  replicas: 10_074,
  consumerFilterTaken: 10_100,
  maxBytesRequired: 10_113,
  ackPendingMax: 10_121,
  consumerFilterNotUnique: 10_138,
} as const;

/** What the operator can do, by the code of the refusal. */
const FIXES: Readonly<Record<number, string>> = {
  [CODE.consumersMax]: 'raise max_consumers of the account or stream to at least 2',
  [CODE.streamsMax]:
    'raise max_streams of the account: the journal needs 5 streams beside your own',
  [CODE.storage]: 'raise the storage limit (max_file) of the account',
  [CODE.subjectsOverlap]:
    'another stream takes these subjects: remove them there, or name another stream with --nats-stream',
  [CODE.replicas]: 'use --nats-replicas 1, or servers of a cluster',
  [CODE.consumerFilterTaken]: 'delete the other consumer of this stream',
  [CODE.consumerFilterNotUnique]: 'delete the other consumer of this stream with that filter',
  [CODE.maxBytesRequired]:
    'create the streams with a max_bytes of your choice before (nats stream add), or lift max_bytes of the account',
  [CODE.ackPendingMax]: `raise max_ack_pending in the limits of the server, account or stream to at least ${RETRY_ACK_PENDING_MAX}`,
};

const DEDUPE_FIX = `raise duplicate_window in the jetstream limits of the server to at least ${DEDUPE_WINDOW_MS / 60_000}m`;

/** Refusals that may pass: the code of HTTP is 500 or more, but for these. */
const LASTING_CODES: readonly number[] = [CODE.replicas, CODE.invalidStream];

/**
 * The fault when the server refuses to create a stream or consumer, and will as long as nothing is changed; null when
 * a later try may succeed, for example because a cluster has no leader.
 */
export function creationFault(error: unknown, declaration: Declaration): OperatorFault | null {
  if (!(error instanceof JetStreamApiError)) return null;
  const { code, status, message } = error;
  if (status >= 500 && !LASTING_CODES.includes(code)) return null;
  // Servers of the cluster that are down may come back.
  if (code === CODE.noPeers && /[1-9]\d* offline|peer offline/.test(message)) return null;
  const what = `NATS refuses to create ${declaration.kind} ${shownName(declaration)}`;
  const isDedupe = code === CODE.invalidStream && message.startsWith('duplicates window');
  const fix = isDedupe ? DEDUPE_FIX : FIXES[code];
  const line = `${what}: ${message}${fix === undefined ? '' : `; ${fix}`}`;
  return new OperatorFault(line, EXIT.usage);
}

/** Whether the server may say so because another process is creating the same stream at this moment. */
export function isOverlap(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === CODE.subjectsOverlap;
}

/** The fault when the account of the user has no JetStream; null for any other error. */
export function accountFault(error: unknown): OperatorFault | null {
  const { name, cause } = error as Error;
  // Without such a cause, the server has no JetStream, or not yet.
  if (name !== 'JetStreamNotEnabled' || !(cause instanceof JetStreamApiError)) return null;
  return new OperatorFault(
    `NATS: ${cause.message}; enable JetStream for the account of this user, or name another user in --nats`,
    EXIT.usage,
  );
}

/**
 * Checks the limits that the account tells, before anything is created.
 * @param missing what has to be created
 * @throws OperatorFault a limit is too low
 */
export function requireRoom(
  stats: JetStreamAccountStats,
  missing: readonly Declaration[],
  replicas: number,
): void {
  const streams = missing.filter(({ kind }) => kind === 'stream').length;
  if (missing.length === 0) return;
  const tier = (stats.tiers as Readonly<Record<string, typeof stats>> | undefined)?.[
    `R${replicas}`
  ];
  const { limits, streams: has } = tier ?? stats;
  const faults = [
    streams > 0 && isBelow(limits.max_streams, has + streams)
      ? `max_streams ${limits.max_streams}, and has ${has} streams, but ${has + streams} are needed`
      : '',
    isBelow(limits.max_consumers, 2)
      ? `max_consumers ${limits.max_consumers}, but 2 are needed`
      : '',
    isBelow(limits.max_ack_pending, RETRY_ACK_PENDING_MAX)
      ? `max_ack_pending ${limits.max_ack_pending}, but ${RETRY_ACK_PENDING_MAX} are needed`
      : '',
    limits.max_storage === 0 ? 'no file storage (max_file 0), but the journal needs some' : '',
    streams > 0 && isMaxBytesRequired(limits)
      ? `max_bytes required for each stream: create ${streamNames(missing)} with a max_bytes of your choice before (nats stream add)`
      : '',
  ].filter((text) => text !== '');
  if (faults.length === 0) return;
  throw new OperatorFault(
    `NATS: the account has ${faults.join('; ')}: change the limit of the account`,
    EXIT.usage,
  );
}

function streamNames(missing: readonly Declaration[]): string {
  return missing
    .filter(({ kind }) => kind === 'stream')
    .map(({ name }) => name)
    .join(', ');
}

/** A limit of 0 or less is none; nats-server reports -1. */
function isBelow(limit: number, needed: number): boolean {
  return limit > 0 && limit < needed;
}

/** Typed as a number by the client. */
function isMaxBytesRequired({ max_bytes_required: isRequired }: AccountLimits): boolean {
  return Boolean(isRequired);
}

/**
 * Finds the limits that a server does not tell, for `forebay check`: creates a stream and consumers with the settings
 * of the missing ones under another name, and deletes them.
 * @throws OperatorFault the server refuses what the journal needs
 */
export async function tryLimits(
  nc: NatsConnection,
  manager: JetStreamManager,
  missing: readonly Declaration[],
  replicas: number,
): Promise<void> {
  if (missing.length === 0) return;
  const name = `FOREBAY_CHECK_${process.pid}_${Date.now()}`;
  // A user that may not delete it would leave it behind.
  if (!(await maySetUp(nc, name))) return;
  const subjects = { 'fresh frames': `${name}.orders`, retries: `${name}.retry` };
  const orders = missing.find(({ role }) => role === 'orders');
  const settings: Partial<StreamConfig> =
    orders?.kind === 'stream' ? { ...orders.wanted, num_replicas: replicas } : {};
  const consumers = missing.filter((declaration) => declaration.kind === 'consumer');
  try {
    // Without a missing stream of orders, only a place for consumers: whether it can be created does not matter.
    await asDeclared(orders ?? null, () =>
      manager.streams.add({ ...settings, name, subjects: Object.values(subjects) }),
    );
    for (const consumer of consumers) {
      await asDeclared(consumer, () =>
        manager.consumers.add(name, {
          durable_name: consumer.name,
          ...consumer.wanted,
          filter_subject: subjects[consumer.role],
        }),
      );
    }
  } finally {
    await manager.streams.delete(name).catch(() => false);
  }
}

/** @throws OperatorFault the server refuses that, and would refuse the declaration */
async function asDeclared(
  declaration: Declaration | null,
  create: () => Promise<unknown>,
): Promise<void> {
  try {
    await create();
  } catch (error) {
    const fault = declaration === null ? null : creationFault(error, declaration);
    if (fault !== null) throw fault;
  }
}
