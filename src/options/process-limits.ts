import { readFileSync } from 'node:fs';
import { EXIT, OperatorFault } from '../model/fault.js';
import type { Options } from '../model/options.js';

/** Resource limits of this process; Infinity means none. */
export interface ResourceLimits {
  readonly openFiles: number;
  readonly addressSpaceBytes: number;
}

/** The limits of this process. Node raises the soft limit of open files to the hard limit when it starts. */
export function processLimits(): ResourceLimits {
  try {
    return parseLimits(readFileSync('/proc/self/limits', 'latin1'));
  } catch {
    // Only Linux has this file.
    return parseLimits('');
  }
}

/** @param text content of /proc/self/limits, see proc(5); empty means no limits */
export function parseLimits(text: string): ResourceLimits {
  const soft = (name: string) => {
    const value = new RegExp(`^${name}\\s+(\\S+)`, 'm').exec(text)?.[1];
    return value === undefined || value === 'unlimited' ? Number.POSITIVE_INFINITY : Number(value);
  };
  return { openFiles: soft('Max open files'), addressSpaceBytes: soft('Max address space') };
}

/** Descriptors that are kept for other uses than connections of clients: what was counted, and about half as much again. */
const RESERVED = {
  /** Of the process: libraries, journal, connections to NATS. 32 were counted. */
  process: 48,
  /** Beside the connections of the admin server: one that is being closed takes a descriptor too. */
  admin: 16,
  /** Event loop, journal, listening socket: 8 were counted. A connection that is being refused takes one more. */
  perIntakeThread: 12,
  /** Event loop and one connection to a database: 4 to 5 were counted. */
  perPoolThread: 6,
} as const;

/** The least that must remain for clients. */
const CONNECTIONS_MIN = 16;
/** Without a limit of open files. Each connection takes about 2 KB. */
const CONNECTIONS_MAX = 100_000;

/** From this limit on, the admin server may use as many connections as a burst can bring. */
const FILES_FOR_BURSTS = 4096;

/** How many connections to the admin port may be open. */
export function adminConnectionsMax({ openFiles }: Pick<ResourceLimits, 'openFiles'>): number {
  return openFiles < FILES_FOR_BURSTS ? 64 : 512;
}

type Threads = Pick<Options, 'threads' | 'workers'>;

function reservedFiles({ threads, workers }: Threads, openFiles: number): number {
  const { process, perIntakeThread, perPoolThread } = RESERVED;
  const admin = RESERVED.admin + adminConnectionsMax({ openFiles });
  return process + admin + Math.max(1, threads) * perIntakeThread + workers * perPoolThread;
}

/**
 * How many connections of clients may be open: `--connections-max`, or what the limit of open files allows.
 *
 * @throws OperatorFault the limit of open files is too low
 */
export function connectionsMaxOf(
  options: Threads & Pick<Options, 'connectionsMax'>,
  { openFiles }: Pick<ResourceLimits, 'openFiles'>,
): number {
  const { connectionsMax } = options;
  const reserved = reservedFiles(options, openFiles);
  const available = openFiles - reserved;
  const needed = Math.max(CONNECTIONS_MIN, connectionsMax);
  if (available >= needed) {
    return connectionsMax === 0 ? Math.min(available, CONNECTIONS_MAX) : connectionsMax;
  }
  const what =
    connectionsMax > available && available >= CONNECTIONS_MIN
      ? `--connections-max ${connectionsMax} is more than the limit of open files allows`
      : 'the limit of open files is too low';
  const ownFiles = reservedFiles(options, reserved + needed);
  throw new OperatorFault(
    `${what}: it is ${openFiles}, and Forebay needs ${ownFiles} for itself and ${needed} for connections; fix: ulimit -n ${ownFiles + needed}, or LimitNOFILE= of systemd`,
    EXIT.failed,
  );
}
