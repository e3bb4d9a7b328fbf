import {
  AckPolicy,
  type ConsumerConfig,
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';
import { EXIT, OperatorFault } from '../contract/fault.js';
import type { JetStreamNames } from './jetstream-names.js';

/**
 * How long the server remembers message ids. Longer than any time that one frame is tried for, so
 * that a frame whose ack was lost is stored once.
 */
const DEDUPE_WINDOW_MS = 10 * 60 * 1000;

/** The most that NATS takes in one message by default; room for the largest --frame-bytes-max and its headers. */
const MESSAGE_BYTES_MAX = 1024 * 1024;

/** Frames in hand are kept alive by a sign of life every third of this. */
export const ACK_WAIT_MS = 30_000;

/** More than the drain ever has in hand. */
const FRESH_ACK_PENDING_MAX = 1000;

/** Frames put off until they are due count as pending: beyond so many, due ones wait behind them. */
const RETRY_ACK_PENDING_MAX = 65_536;

/**
 * How long the ledger is kept: who reads it for the first time learns of what was settled within that time. Those
 * who read on remember longer, in their own store.
 */
const LEDGER_MS = 60 * 60 * 1000;
const LEDGER_DEDUPE_WINDOW_MS = 2 * 60 * 1000;

type Settings = Readonly<Record<string, unknown>>;

/** Only what the journal relies on. Limits and replicas are the operator's to choose beforehand. */
function streamSettings(subjects: string[], retention: RetentionPolicy): Partial<StreamConfig> {
  return {
    subjects,
    retention,
    storage: StorageType.File,
    // Full means refused, never that an order that was accepted is dropped for a newer one.
    discard: DiscardPolicy.New,
    max_age: 0,
    max_msgs_per_subject: -1,
    max_msg_size: MESSAGE_BYTES_MAX,
    duplicate_window: nanos(DEDUPE_WINDOW_MS),
  };
}

/** An order has one dead letter at most: should a crash have it filed twice, the later takes the earlier's place. */
function deadSettings(subjects: string): Partial<StreamConfig> {
  return { ...streamSettings([subjects], RetentionPolicy.Limits), max_msgs_per_subject: 1 };
}

/** Old entries of the ledger go by themselves; it must never be full. */
function ledgerSettings(subject: string): Partial<StreamConfig> {
  return {
    ...streamSettings([subject], RetentionPolicy.Limits),
    discard: DiscardPolicy.Old,
    max_age: nanos(LEDGER_MS),
    duplicate_window: nanos(LEDGER_DEDUPE_WINDOW_MS),
  };
}

function consumerSettings(subject: string, ackPendingMax: number): Partial<ConsumerConfig> {
  return {
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    filter_subject: subject,
    ack_wait: nanos(ACK_WAIT_MS),
    max_deliver: -1,
    max_ack_pending: ackPendingMax,
  };
}

/**
 * Makes sure that streams and consumers are there with the settings that the journal relies on.
 * What is missing is made; what exists is compared and never changed. Any number of threads may
 * do so at once: making what another has just made alike is no error.
 *
 * @throws OperatorFault something exists with other settings.
 */
export async function declareJournal(
  nc: NatsConnection,
  names: JetStreamNames,
  replicas: number,
): Promise<void> {
  const manager = await jetstreamManager(nc);
  await declareStream(
    manager,
    replicas,
    names.stream,
    streamSettings([names.freshSubject, names.retrySubject], RetentionPolicy.Workqueue),
  );
  await declareStream(manager, replicas, names.deadStream, deadSettings(names.deadSubjects));
  await declareStream(manager, replicas, names.ledgerStream, ledgerSettings(names.ledgerSubject));
  await declareConsumer(
    manager,
    names.stream,
    names.freshConsumer,
    consumerSettings(names.freshSubject, FRESH_ACK_PENDING_MAX),
  );
  await declareConsumer(
    manager,
    names.stream,
    names.retryConsumer,
    consumerSettings(names.retrySubject, RETRY_ACK_PENDING_MAX),
  );
}

async function declareStream(
  manager: JetStreamManager,
  replicas: number,
  name: string,
  wanted: Partial<StreamConfig>,
): Promise<void> {
  const found = await manager.streams.info(name).catch(nullWhen(JetStreamApiCodes.StreamNotFound));
  if (found === null) {
    await manager.streams.add({ name, num_replicas: replicas, ...wanted });
    return;
  }
  refuseDifference(`NATS stream ${name}`, wanted, found.config);
  if (found.config.num_replicas < replicas) {
    throw new OperatorFault(
      `NATS stream ${name} exists with ${found.config.num_replicas} replicas, fewer than --nats-replicas ${replicas}; change it, or name another stream`,
      EXIT.usage,
    );
  }
}

async function declareConsumer(
  manager: JetStreamManager,
  stream: string,
  name: string,
  wanted: Partial<ConsumerConfig>,
): Promise<void> {
  const found = await manager.consumers
    .info(stream, name)
    .catch(nullWhen(JetStreamApiCodes.ConsumerNotFound));
  if (found === null) await manager.consumers.add(stream, { durable_name: name, ...wanted });
  else refuseDifference(`NATS consumer ${stream}/${name}`, wanted, found.config);
}

function nullWhen(code: number): (error: unknown) => null {
  return (error) => {
    if (error instanceof JetStreamApiError && error.code === code) return null;
    throw error;
  };
}

/** Servers add settings of their own, which differ by version: only those that were set count. */
function refuseDifference(what: string, wanted: Settings, found: Settings): void {
  for (const [setting, value] of Object.entries(wanted)) {
    const expected = JSON.stringify(value);
    const actual = JSON.stringify(found[setting] ?? 0);
    if (actual !== expected) {
      throw new OperatorFault(
        `${what} exists with ${setting} ${actual}, expected ${expected}; change it, or name another stream`,
        EXIT.usage,
      );
    }
  }
}
