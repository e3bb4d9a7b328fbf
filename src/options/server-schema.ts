import { LOG_FORMATS, LOG_LEVELS, MODES } from '../model/options.js';
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
export const serverSchema = {
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
