import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  PersistMode,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';
import { EXIT, OperatorFault } from '../../model/fault.js';
import { managerOf } from './connection.js';
import type { JetStreamNames } from './names.js';

/**
 * How long the server remembers message ids. Longer than a frame is ever retried, so that a frame whose ack was lost
 * is stored once.
 */
const DEDUPE_WINDOW_MS = 10 * 60 * 1000;

/** The default limit of a NATS message; enough for the largest --frame-bytes-max and its headers. */
const MESSAGE_BYTES_MAX = 1024 * 1024;

/** A third of this is the interval at which claimed frames are kept alive. */
export const ACK_WAIT_MS = 30_000;

/** More than the drain ever claims. */
const FRESH_ACK_PENDING_MAX = 1000;

/** Delayed retries count as pending: beyond this many, retries that are due wait behind them. */
const RETRY_ACK_PENDING_MAX = 65_536;

/**
 * How long the ledger is kept. A process that reads it for the first time learns what was settled within that time; a
 * process that follows it remembers more, in its own store.
 */
export const LEDGER_AGE_MS_MAX = 60 * 60 * 1000;
const LEDGER_DEDUPE_WINDOW_MS = 2 * 60 * 1000;

type Settings = Readonly<Record<string, unknown>>;

/** Only what the journal relies on. The operator may choose limits and replicas beforehand. */
function streamSettings(subjects: string[], retention: RetentionPolicy): Partial<StreamConfig> {
  return {
    subjects,
    retention,
    storage: StorageType.File,
    // When full, refuse; never drop an accepted order for a newer one.
    discard: DiscardPolicy.New,
    max_age: 0,
    max_msgs_per_subject: -1,
    max_msg_size: MESSAGE_BYTES_MAX,
    duplicate_window: nanos(DEDUPE_WINDOW_MS),
  };
}

/** An order has one dead letter at most: if a crash makes it stored twice, the second replaces the first. */
function deadSettings(subjects: string): Partial<StreamConfig> {
  return { ...streamSettings([subjects], RetentionPolicy.Limits), max_msgs_per_subject: 1 };
}

/** A message that is not a frame may be longer than a frame. */
function foreignSettings(subject: string): Partial<StreamConfig> {
  return { ...streamSettings([subject], RetentionPolicy.Limits), max_msg_size: -1 };
}

/** Old ledger entries expire; the stream must never be full. */
function ledgerSettings(subject: string): Partial<StreamConfig> {
  return {
    ...streamSettings([subject], RetentionPolicy.Limits),
    discard: DiscardPolicy.Old,
    max_age: nanos(LEDGER_AGE_MS_MAX),
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

/** A stream or consumer that the journal needs. */
export type Declaration = { readonly name: string; readonly role: string } & (
  | { readonly kind: 'stream'; readonly wanted: Partial<StreamConfig> }
  | {
      readonly kind: 'consumer';
      readonly stream: string;
      readonly wanted: Partial<ConsumerConfig>;
    }
);

/** Everything that the journal needs; streams before their consumers. */
export function declarations(names: JetStreamNames): Declaration[] {
  const { stream, freshSubject, retrySubject } = names;
  const workQueue = streamSettings([freshSubject, retrySubject], RetentionPolicy.Workqueue);
  const fresh = consumerSettings(freshSubject, FRESH_ACK_PENDING_MAX);
  const retry = consumerSettings(retrySubject, RETRY_ACK_PENDING_MAX);
  const dead = deadSettings(names.deadSubjects);
  const ledger = ledgerSettings(names.ledgerSubject);
  const foreign = foreignSettings(names.foreignSubject);
  return [
    { kind: 'stream', name: stream, role: 'orders', wanted: workQueue },
    { kind: 'stream', name: names.deadStream, role: 'dead letters', wanted: dead },
    { kind: 'stream', name: names.ledgerStream, role: 'ledger', wanted: ledger },
    { kind: 'stream', name: names.foreignStream, role: 'foreign messages', wanted: foreign },
    { kind: 'consumer', stream, name: names.freshConsumer, role: 'fresh frames', wanted: fresh },
    { kind: 'consumer', stream, name: names.retryConsumer, role: 'retries', wanted: retry },
  ];
}

/**
 * Creates missing streams and consumers, and checks that existing ones have the settings that the journal relies on;
 * those are never changed. Several threads may do so at once: creating what another thread has just created with the
 * same settings is not an error.
 * @param onCreated called for each stream or consumer that was created
 * @throws OperatorFault one exists with other settings
 */
export async function declareJournal(
  nc: NatsConnection,
  names: JetStreamNames,
  replicas: number,
  onCreated: (declaration: Declaration) => void = () => {},
): Promise<void> {
  const manager = await managerOf(nc, { checkAPI: true });
  for (const declaration of declarations(names)) {
    if (await declare(manager, replicas, declaration)) onCreated(declaration);
  }
}

/** Whether it was missing. */
async function declare(
  manager: JetStreamManager,
  replicas: number,
  declaration: Declaration,
): Promise<boolean> {
  const found = await findDeclared(manager, declaration);
  if (found !== null) {
    const difference = differenceOf(declaration, found, replicas);
    if (difference === '') return false;
    throw new OperatorFault(`${difference}; change it, or name another stream`, EXIT.usage);
  }
  const { name } = declaration;
  if (declaration.kind === 'stream') {
    await manager.streams.add({ name, num_replicas: replicas, ...declaration.wanted });
  } else {
    await manager.consumers.add(declaration.stream, { durable_name: name, ...declaration.wanted });
  }
  return true;
}

/** Null when it does not exist. */
export function findDeclared(
  manager: JetStreamManager,
  declaration: Declaration,
): Promise<StreamInfo | ConsumerInfo | null> {
  return declaration.kind === 'stream'
    ? manager.streams.info(declaration.name).catch(nullWhen(JetStreamApiCodes.StreamNotFound))
    : manager.consumers
        .info(declaration.stream, declaration.name)
        .catch(nullWhen(JetStreamApiCodes.ConsumerNotFound));
}

function nullWhen(code: number): (error: unknown) => null {
  return (error) => {
    if (error instanceof JetStreamApiError && error.code === code) return null;
    throw error;
  };
}

/**
 * How the existing settings differ from the needed ones, in words; empty when they do not. Only the needed settings
 * are compared: servers add their own, depending on the version.
 */
export function differenceOf(
  declaration: Declaration,
  { config }: StreamInfo | ConsumerInfo,
  replicas: number,
): string {
  const { kind, name, wanted } = declaration;
  const what = `NATS ${kind} ${kind === 'stream' ? name : `${declaration.stream}/${name}`} exists with`;
  const found = config as unknown as Settings;
  for (const [setting, value] of Object.entries(wanted)) {
    const expected = JSON.stringify(value);
    const actual = JSON.stringify(found[setting] ?? 0);
    if (actual !== expected) return `${what} ${setting} ${actual}, expected ${expected}`;
  }
  // Unknown to servers before 2.12, so it cannot be among the needed settings. Async means acknowledged before it is
  // written.
  const persist = found.persist_mode;
  if (persist === PersistMode.Async) return `${what} persist_mode "${persist}", expected "default"`;
  const has = config.num_replicas ?? 1;
  return kind === 'stream' && has < replicas
    ? `${what} ${has} replicas, fewer than --nats-replicas ${replicas}`
    : '';
}
