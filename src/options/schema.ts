import { LOG_FORMATS, LOG_LEVELS, MODES } from '../model/options.js';
import { drainSchema } from './drain-schema.js';
import type { DerivedDefault, Specs } from './spec.js';

/** Half the cores: intake and pool run side by side. */
const halfTheCores: DerivedDefault<number> = {
  text: 'half the cores, at least 1',
  from: ({ cores }) => Math.max(1, Math.floor(cores / 2)),
};

/** Only Linux lets several threads listen on one port. */
const intakeThreads: DerivedDefault<number> = {
  text: 'half the cores, at least 1; 1 where it is not Linux',
  from: (surroundings) => (surroundings.platform === 'linux' ? halfTheCores.from(surroundings) : 1),
};

/** The process as a whole: where it listens, its threads, its log. */
const serverSchema = {
  mode: {
    type: 'choice',
    choices: MODES,
    default: 'queue',
    group: 'Server',
    help: 'queue: answer once the order is durable, process behind; direct: process, then answer',
  },
  host: {
    type: 'text',
    unit: 'address',
    pattern: '^[^\\s/]+$',
    patternText: 'a host name or an IP address',
    default: '0.0.0.0',
    group: 'Server',
    help: 'address to take orders on',
  },
  port: {
    type: 'integer',
    unit: 'port',
    min: 0,
    max: 65_535,
    default: 3000,
    group: 'Server',
    help: 'port to take orders on; 0 picks a free one',
  },
  adminHost: {
    type: 'text',
    unit: 'address',
    pattern: '^[^\\s/]+$',
    patternText: 'a host name or an IP address',
    default: '127.0.0.1',
    group: 'Server',
    help: 'address for /metrics, /healthz and /readyz',
  },
  adminPort: {
    type: 'integer',
    unit: 'port',
    min: 0,
    max: 65_535,
    default: 3001,
    group: 'Server',
    help: 'port for /metrics, /healthz and /readyz; 0 picks a free one',
  },
  threads: {
    type: 'integer',
    unit: 'threads',
    min: 0,
    max: 64,
    default: intakeThreads,
    group: 'Server',
    help: 'intake threads, which share the port as only Linux allows; 0: the intake runs in the main thread',
  },
  workers: {
    type: 'integer',
    unit: 'threads',
    min: 1,
    max: 256,
    default: halfTheCores,
    group: 'Server',
    help: 'pool threads that run the handler',
  },
  logLevel: {
    type: 'choice',
    choices: LOG_LEVELS,
    default: 'info',
    group: 'Server',
    help: 'least severe level that is logged',
  },
  logFormat: {
    type: 'choice',
    choices: LOG_FORMATS,
    default: 'auto',
    group: 'Server',
    help: 'json: an object a line; pretty: for people; auto: pretty where stderr is a terminal, else json',
  },
  shutdownMsMax: {
    type: 'integer',
    unit: 'ms',
    min: 100,
    max: 600_000,
    default: 10_000,
    group: 'Server',
    help: 'how long an ordered shutdown may take',
  },
} as const satisfies Partial<Specs>;

/** From the request to the durable frame: the bounds of intake and of group commit. */
const intakeSchema = {
  rpsLimit: {
    type: 'integer',
    unit: 'orders/s',
    min: 0,
    max: 1_000_000,
    default: {
      text: '50 in direct mode, 0 in queue mode',
      from: ({ mode }) => (mode === 'direct' ? 50 : 0),
    },
    group: 'Intake',
    help: 'most orders admitted in any second, all threads together; 0 is no limit',
  },
  bodyBytesMax: {
    type: 'integer',
    unit: 'bytes',
    min: 64,
    max: 65_536,
    default: 4096,
    group: 'Intake',
    help: 'longest body; a longer one is answered 413',
  },
  bodyMsMax: {
    type: 'integer',
    unit: 'ms',
    min: 100,
    max: 600_000,
    default: 10_000,
    group: 'Intake',
    help: 'how long a body may take to arrive',
  },
  waitingOrdersMax: {
    type: 'integer',
    unit: 'orders',
    min: 1,
    max: 1_000_000,
    default: 100_000,
    group: 'Intake',
    help: 'orders of one intake thread that may wait for their answer; above, 503',
  },
  idempotencyS: {
    type: 'integer',
    unit: 's',
    min: 1,
    max: 86_400,
    default: 600,
    group: 'Intake',
    help: 'how long an Idempotency-Key is remembered',
  },
  idempotencyKeysMax: {
    type: 'integer',
    unit: 'keys',
    min: 1000,
    max: 100_000_000,
    default: 2_000_000,
    group: 'Intake',
    help: 'most idempotency keys remembered at once, 64 bytes of memory each; above, 503',
  },
  commitMsMax: {
    type: 'integer',
    unit: 'ms',
    min: 50,
    max: 60_000,
    default: 1000,
    group: 'Commit',
    help: 'how long a frame may take to become durable, in the spool if need be',
  },
  frameOrdersMax: {
    type: 'integer',
    unit: 'orders',
    min: 1,
    max: 10_000,
    default: 1000,
    group: 'Commit',
    help: 'most orders in one frame',
  },
  frameBytesMax: {
    type: 'integer',
    unit: 'bytes',
    min: 65,
    // NATS takes messages of 1 MiB (its max_payload) by default; the rest is room for the headers.
    max: 900_000,
    default: 262_144,
    group: 'Commit',
    help: 'most bytes in one frame; more than --body-bytes-max',
  },
  framesInFlightMax: {
    type: 'integer',
    unit: 'frames',
    min: 1,
    max: 256,
    default: 8,
    group: 'Commit',
    help: 'frames of one intake thread that may await their acknowledgement',
  },
} as const satisfies Partial<Specs>;

/**
 * Every option there is: flags, environment variables, checks, help and docs/reference/options.md are all made
 * from this table, in its order.
 */
export const schema: Specs = { ...serverSchema, ...intakeSchema, ...drainSchema };
