import {
  createInbox,
  headers,
  type NatsConnection,
  PermissionViolationError,
  type Status,
} from '@nats-io/transport-node';
import { EXIT, OperatorFault } from '../../model/fault.js';
import type { Declaration } from './declarations.js';
import type { JetStreamNames } from './names.js';

const API = '$JS.API';

/** Makes a stream refuse the message: it is no stream's name. */
const NO_STREAM = '-';

/** Not a request that a consumer understands: it delivers nothing. */
const NO_REQUEST = '{';

/** A heartbeat of nobody. */
const NO_HEARTBEAT = '- 0 0';

/** For an answer that normally comes within a millisecond. */
const ANSWER_MS_MAX = 2000;

/** A message without effect, to find out whether the user may publish on the subject. */
interface Probe {
  readonly subject: string;
  readonly payload?: string;
  /** A stream takes messages on this subject. */
  readonly isStored?: boolean;
}

/**
 * Checks that this user may use every subject of the journal in daily work.
 * @param drains whether this process processes orders: another one needs less
 * @throws OperatorFault a subject is forbidden
 * @throws Error the connection is lost
 */
export function requirePermissions(
  nc: NatsConnection,
  names: JetStreamNames,
  drains: boolean,
): Promise<void> {
  const intake = intakeProbes(names);
  if (!drains) return requireAllowed(nc, intake, []);
  return requireAllowed(nc, [...intake, ...drainProbes(names)], [names.aliveSubject]);
}

/**
 * Checks that this user may create what is missing.
 * @throws OperatorFault it may not
 */
export async function requireCreatable(
  nc: NatsConnection,
  missing: readonly Declaration[],
): Promise<void> {
  if (missing.length === 0) return;
  const probes = missing.map((declaration) => ({ subject: creationSubject(declaration) }));
  await requireAllowed(nc, probes, []);
}

/** Whether this user may create a stream of that name with consumers, and delete it again. */
export async function maySetUp(nc: NatsConnection, stream: string): Promise<boolean> {
  const asked = ['STREAM.CREATE', 'STREAM.DELETE'].map((what) => `${API}.${what}.${stream}`);
  const consumer = `${API}.CONSUMER.CREATE.${stream}.any.${stream}.any`;
  try {
    await requireAllowed(
      nc,
      [...asked, consumer].map((subject) => ({ subject })),
      [],
    );
    return true;
  } catch (error) {
    if (error instanceof OperatorFault) return false;
    throw error;
  }
}

function creationSubject(declaration: Declaration): string {
  const { kind, name, wanted } = declaration;
  if (kind === 'stream') return `${API}.STREAM.CREATE.${name}`;
  return `${API}.CONSUMER.CREATE.${declaration.stream}.${name}.${wanted.filter_subject}`;
}

/**
 * A server does not tell a client what it may do, and drops what is forbidden with an error message. So one message
 * without effect is sent on each subject.
 */
async function requireAllowed(
  nc: NatsConnection,
  probes: readonly Probe[],
  subscribed: readonly string[],
): Promise<void> {
  const statuses = nc.status() as AsyncIterable<Status> & { stop(): void };
  const denied = deniedIn(statuses);
  const inbox = createInbox();
  const subscriptions = [inbox, ...subscribed].map((subject) =>
    nc.subscribe(subject, { callback: () => {} }),
  );
  try {
    for (const { subject, payload = '', isStored = false } of probes) {
      const head = headers();
      if (isStored) head.set('Nats-Expected-Stream', NO_STREAM);
      nc.publish(subject, payload, isStored ? { headers: head, reply: inbox } : { reply: inbox });
    }
    // The server answers in order: what it denies, it has denied by then.
    await inTime(nc.flush());
  } finally {
    for (const subscription of subscriptions) subscription.unsubscribe();
    statuses.stop();
  }
  const list = (await denied).map((what) => what.replace(inbox, '_INBOX.>'));
  if (list.length === 0) return;
  throw new OperatorFault(
    `NATS does not allow this user to ${list.join(', ')}: change its permissions`,
    EXIT.usage,
  );
}

/** Resolves when `statuses` has ended. */
async function deniedIn(statuses: AsyncIterable<Status>): Promise<string[]> {
  const denied = new Set<string>();
  for await (const status of statuses) {
    if (status.type !== 'error' || !(status.error instanceof PermissionViolationError)) continue;
    const { operation, subject } = status.error;
    denied.add(`${operation === 'publish' ? 'publish' : 'subscribe'} to ${subject}`);
  }
  return [...denied];
}

async function inTime(answer: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it does not answer')), ANSWER_MS_MAX);
  });
  try {
    await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What every process needs: it declares the journal, stores frames and looks for them. */
function intakeProbes(names: JetStreamNames): Probe[] {
  const { stream, freshConsumer, retryConsumer, ledgerStream, drainStream } = names;
  const streams = [stream, ledgerStream, drainStream, names.deadStream, names.foreignStream];
  const asked = [
    `${API}.INFO`,
    ...streams.map((name) => `${API}.STREAM.INFO.${name}`),
    `${API}.STREAM.MSG.GET.${stream}`,
    `${API}.STREAM.MSG.GET.${ledgerStream}`,
    `${API}.STREAM.MSG.GET.${drainStream}`,
    `${API}.CONSUMER.INFO.${stream}.${freshConsumer}`,
    `${API}.CONSUMER.INFO.${stream}.${retryConsumer}`,
  ];
  return [
    ...asked.map((subject) => ({ subject })),
    { subject: names.freshSubject, isStored: true },
  ];
}

/** What a process needs that processes orders. */
function drainProbes(names: JetStreamNames): Probe[] {
  const { stream, freshConsumer, retryConsumer } = names;
  const stored = [
    names.retrySubject,
    names.ledgerSubject,
    names.drainSubject,
    names.foreignSubject,
    names.deadSubject('check'),
  ];
  return [
    { subject: `${API}.STREAM.MSG.DELETE.${stream}` },
    ...[freshConsumer, retryConsumer].flatMap((consumer) => [
      { subject: `${API}.CONSUMER.MSG.NEXT.${stream}.${consumer}`, payload: NO_REQUEST },
      { subject: `$JS.ACK.${stream}.${consumer}.0.0.0.0.0`, payload: '+WPI' },
    ]),
    ...stored.map((subject) => ({ subject, isStored: true })),
    { subject: names.aliveSubject, payload: NO_HEARTBEAT },
  ];
}
