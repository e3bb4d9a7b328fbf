import {
  AckPolicy,
  type ConsumerConfig,
  DeliverPolicy,
  DiscardPolicy,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { type FrameBounds, messageBytesMax } from '../../model/frame.js';
import type { JetStreamNames } from './names.js';

/**
 * How long the server remembers message ids. Longer than a frame is ever retried, so that a frame whose ack was lost
 * is stored once.
 */
export const DEDUPE_WINDOW_MS = 10 * 60 * 1000;

/** What streams are made for at least, whatever --frame-bytes-max is: the default limit of a NATS message. */
const MESSAGE_BYTES = 1024 * 1024;

/** A third of this is the interval at which claimed frames are kept alive. */
export const ACK_WAIT_MS = 30_000;

/** More than the drain ever claims. */
const FRESH_ACK_PENDING_MAX = 1000;

/** Delayed retries count as pending: beyond this many, retries that are due wait behind them. */
export const RETRY_ACK_PENDING_MAX = 65_536;

/**
 * How long the ledger is kept. A process that reads it for the first time learns what was settled within that time; a
 * process that follows it remembers more, in its own store.
 */
export const LEDGER_AGE_MS_MAX = 60 * 60 * 1000;
const LEDGER_DEDUPE_WINDOW_MS = 2 * 60 * 1000;

/** Only what the journal relies on. The operator may choose limits and replicas beforehand. */
function streamSettings(
  subjects: string[],
  retention: RetentionPolicy,
  messageBytes = MESSAGE_BYTES,
): Partial<StreamConfig> {
  return {
    subjects,
    retention,
    storage: StorageType.File,
    // When full, refuse; never drop an accepted order for a newer one.
    discard: DiscardPolicy.New,
    max_age: 0,
    max_msgs_per_subject: -1,
    max_msg_size: Math.max(MESSAGE_BYTES, messageBytes),
    duplicate_window: nanos(DEDUPE_WINDOW_MS),
  };
}

/** An order has one dead letter at most: if a crash makes it stored twice, the second replaces the first. */
function deadSettings(subjects: string, messageBytes: number): Partial<StreamConfig> {
  const settings = streamSettings([subjects], RetentionPolicy.Limits, messageBytes);
  return { ...settings, max_msgs_per_subject: 1 };
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

/** Only the last message counts. */
function drainSettings(subject: string): Partial<StreamConfig> {
  const settings = streamSettings([subject], RetentionPolicy.Limits);
  return { ...settings, discard: DiscardPolicy.Old, max_msgs_per_subject: 1 };
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

export type StreamRole = 'orders' | 'dead letters' | 'ledger' | 'drain' | 'foreign messages';
type ConsumerRole = 'fresh frames' | 'retries';

export interface StreamDeclaration {
  readonly kind: 'stream';
  readonly name: string;
  readonly role: StreamRole;
  readonly wanted: Partial<StreamConfig>;
}

export interface ConsumerDeclaration {
  readonly kind: 'consumer';
  readonly name: string;
  readonly stream: string;
  readonly role: ConsumerRole;
  readonly wanted: Partial<ConsumerConfig>;
}

/** A stream or consumer that the journal needs. */
export type Declaration = StreamDeclaration | ConsumerDeclaration;

/**
 * Everything that the journal needs; streams before their consumers.
 * @param frames a dead letter is no longer than the longest frame
 */
export function declarations(names: JetStreamNames, frames: FrameBounds): Declaration[] {
  const bytes = messageBytesMax(frames);
  const { stream, freshSubject, retrySubject } = names;
  const workQueue = streamSettings([freshSubject, retrySubject], RetentionPolicy.Workqueue, bytes);
  const fresh = consumerSettings(freshSubject, FRESH_ACK_PENDING_MAX);
  const retry = consumerSettings(retrySubject, RETRY_ACK_PENDING_MAX);
  const dead = deadSettings(names.deadSubjects, bytes);
  const ledger = ledgerSettings(names.ledgerSubject);
  const drain = drainSettings(names.drainSubject);
  const foreign = foreignSettings(names.foreignSubject);
  return [
    { kind: 'stream', name: stream, role: 'orders', wanted: workQueue },
    { kind: 'stream', name: names.deadStream, role: 'dead letters', wanted: dead },
    { kind: 'stream', name: names.ledgerStream, role: 'ledger', wanted: ledger },
    { kind: 'stream', name: names.drainStream, role: 'drain', wanted: drain },
    { kind: 'stream', name: names.foreignStream, role: 'foreign messages', wanted: foreign },
    { kind: 'consumer', stream, name: names.freshConsumer, role: 'fresh frames', wanted: fresh },
    { kind: 'consumer', stream, name: names.retryConsumer, role: 'retries', wanted: retry },
  ];
}
