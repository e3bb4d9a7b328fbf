/**
 * Holds the settings of existing streams and consumers against what the journal needs. Every setting of the server is
 * one of these:
 * - needed: the journal declares it (declare.ts), and any other value is refused;
 * - excluded: a rule below says which values work;
 * - harmless: neither. Orders are delivered whatever its value (docs/reference/jetstream-journal.md lists them).
 */
import {
  type ConsumerConfig,
  type ConsumerInfo,
  PersistMode,
  type StreamConfig,
  type StreamConsumerLimits,
  type StreamInfo,
} from '@nats-io/jetstream';
import { type Declaration, RETRY_ACK_PENDING_MAX, type StreamRole } from './declarations.js';

type Settings = Readonly<Record<string, unknown>>;

/** A setting that is not declared, because most of its values work or not all servers know it. */
interface Rule {
  readonly setting: string;
  /** In words, after `expected`. */
  readonly expected: string;
  readonly isFine: (value: unknown) => boolean;
  /** Streams that it applies to; default: all. */
  readonly roles?: readonly StreamRole[];
}

/** Old entries of the ledger may go, but not those that another process has not read yet. */
const LEDGER_MESSAGES_MIN = 100_000;
const LEDGER_BYTES_MIN = 16 * 1024 * 1024;

/** The two consumers of the drain. */
const CONSUMERS_MIN = 2;

/** The default of the server. Each process that drains has two pulls waiting. */
const PULLS_WAITING_MIN = 512;

/** The one needed setting of which a larger value is as good: other instances may have larger frames. */
const MESSAGE_SIZE = 'max_msg_size';

const isOff = (value: unknown) => value === undefined || value === null || value === false;
const isEmpty = (value: unknown) => isOff(value) || (Array.isArray(value) && value.length === 0);
const isNoneOf = (value: unknown) => isOff(value) || value === '' || value === 0;
const isBound = (value: unknown): value is number => typeof value === 'number' && value > 0;
const isUnlimitedOrAtLeast = (min: number) => (value: unknown) =>
  typeof value !== 'number' || value <= 0 || value >= min;

const STREAM_RULES: readonly Rule[] = [
  // The server does not answer a message: no order could be confirmed.
  { setting: 'no_ack', expected: 'false', isFine: isOff },
  { setting: 'sealed', expected: 'false', isFine: isOff },
  // Frames that are settled, and dead letters that are replayed, must leave the stream.
  {
    setting: 'deny_delete',
    expected: 'false',
    isFine: isOff,
    roles: ['orders', 'dead letters', 'foreign messages'],
  },
  { setting: 'mirror', expected: 'none', isFine: isOff },
  // A sourced or renamed message has another subject: no consumer of the journal gets it.
  { setting: 'sources', expected: 'none', isFine: isEmpty },
  { setting: 'subject_transform', expected: 'none', isFine: isOff },
  // The second dead letter of an order, after a replay, would be refused forever.
  { setting: 'discard_new_per_subject', expected: 'false', isFine: isOff },
  // Takes only messages that increment a counter.
  { setting: 'allow_msg_counter', expected: 'false', isFine: isOff },
  // Acknowledges before it writes. Unknown to servers before 2.12.
  {
    setting: 'persist_mode',
    expected: '"default"',
    isFine: (value) => value !== PersistMode.Async,
  },
  {
    setting: 'max_consumers',
    expected: `at least ${CONSUMERS_MIN}`,
    isFine: isUnlimitedOrAtLeast(CONSUMERS_MIN),
    roles: ['orders'],
  },
  {
    setting: 'consumer_limits',
    expected: `max_ack_pending of at least ${RETRY_ACK_PENDING_MAX}`,
    isFine: (value) =>
      isUnlimitedOrAtLeast(RETRY_ACK_PENDING_MAX)((value as StreamConsumerLimits)?.max_ack_pending),
    roles: ['orders'],
  },
  {
    setting: 'max_msgs',
    expected: `at least ${LEDGER_MESSAGES_MIN}`,
    isFine: isUnlimitedOrAtLeast(LEDGER_MESSAGES_MIN),
    roles: ['ledger'],
  },
  {
    setting: 'max_bytes',
    expected: `at least ${LEDGER_BYTES_MIN}`,
    isFine: isUnlimitedOrAtLeast(LEDGER_BYTES_MIN),
    roles: ['ledger'],
  },
];

const CONSUMER_RULES: readonly Rule[] = [
  { setting: 'deliver_subject', expected: 'none', isFine: isNoneOf },
  { setting: 'headers_only', expected: 'false', isFine: isOff },
  // As slowly as the messages came in.
  {
    setting: 'replay_policy',
    expected: '"instant"',
    isFine: (value) => isNoneOf(value) || value === 'instant',
  },
  { setting: 'rate_limit_bps', expected: '0', isFine: isNoneOf },
  // Replaces ack_wait, within which frames are kept alive.
  { setting: 'backoff', expected: 'none', isFine: isEmpty },
  // Answers only pulls that name a group.
  { setting: 'priority_groups', expected: 'none', isFine: isEmpty },
  {
    setting: 'priority_policy',
    expected: '"none"',
    isFine: (value) => isNoneOf(value) || value === 'none',
  },
  {
    setting: 'max_waiting',
    expected: `at least ${PULLS_WAITING_MIN}`,
    isFine: isUnlimitedOrAtLeast(PULLS_WAITING_MIN),
  },
  { setting: 'mem_storage', expected: 'false', isFine: isOff },
];

/** How the existing settings differ from the needed ones, in words; empty when they do not. */
export function differenceOf(
  declaration: Declaration,
  { config }: Pick<StreamInfo | ConsumerInfo, 'config'>,
  replicas: number,
): string {
  const what = `NATS ${declaration.kind} ${shownName(declaration)} exists with`;
  const found = config as unknown as Settings;
  for (const [setting, value] of Object.entries(declaration.wanted)) {
    const expected = JSON.stringify(value);
    const actual = JSON.stringify(found[setting] ?? 0);
    if (setting === MESSAGE_SIZE && isBound(value)) {
      if (isUnlimitedOrAtLeast(value)(found[setting])) continue;
      return `${what} ${setting} ${actual}, expected at least ${expected}`;
    }
    if (actual !== expected) return `${what} ${setting} ${actual}, expected ${expected}`;
  }
  for (const { setting, expected, isFine } of rulesOf(declaration)) {
    const value = found[setting];
    if (!isFine(value)) return `${what} ${setting} ${JSON.stringify(value)}, expected ${expected}`;
  }
  const has = replicasOf(declaration, config);
  return has < replicas ? `${what} ${has} replicas, fewer than --nats-replicas ${replicas}` : '';
}

function rulesOf(declaration: Declaration): readonly Rule[] {
  if (declaration.kind === 'consumer') return CONSUMER_RULES;
  const { role } = declaration;
  return STREAM_RULES.filter(({ roles }) => roles === undefined || roles.includes(role));
}

/** A consumer with 0 replicas has as many as its stream. */
function replicasOf(declaration: Declaration, config: StreamConfig | ConsumerConfig): number {
  const has = config.num_replicas ?? 0;
  if (declaration.kind === 'stream') return Math.max(1, has);
  return has === 0 ? Number.POSITIVE_INFINITY : has;
}

/** Why an existing consumer delivers nothing for now, in words, with the fix; empty when it delivers. */
export function pauseOf(declaration: Declaration, info: StreamInfo | ConsumerInfo): string {
  if (declaration.kind === 'stream' || (info as ConsumerInfo).paused !== true) return '';
  const { stream, name } = declaration;
  const { pause_until: until } = (info as ConsumerInfo).config;
  return `NATS consumer ${stream}/${name} is paused until ${until}, so its orders wait: nats consumer resume ${stream} ${name}`;
}

/** A consumer is named with its stream. */
export function shownName(declaration: Declaration): string {
  return declaration.kind === 'stream'
    ? declaration.name
    : `${declaration.stream}/${declaration.name}`;
}
