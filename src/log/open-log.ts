import { pino } from 'pino';
import { LOG_EVENTS, type Log, type LogEvent, type LogFields } from '../model/log.js';
import type { LogFormat, Options } from '../model/options.js';
import { BoundedLog, type Entry } from './bounded.js';
import { prettyLine } from './pretty.js';
import { toldError } from './thrown.js';

const STDERR = 2;

/** Lines that stderr does not take now wait, so many bytes of them. */
const WAITING_BYTES_MAX = 1024 ** 2;

export interface OpenLog {
  readonly log: Log;
  /** Writes what the bound on repeats still holds back: to be called before the process ends. */
  readonly flush: () => void;
}

/** Where lines go; each is whole when `write` returns. */
interface Destination {
  write(line: string): unknown;
}

/**
 * The log of the process, on stderr: a JSON object a line, or for people to read.
 *
 * Writes are synchronous: the line that says why a process ended must be out before it does.
 */
export function openLog(options: Pick<Options, 'logLevel' | 'logFormat'>): OpenLog {
  const stderr = pino.destination({ dest: STDERR, sync: true, maxLength: WAITING_BYTES_MAX });
  // A file on a full disk, or a pipe that nobody reads any more, must not end a server.
  const goOn = () => {};
  stderr.on('error', goOn);
  process.stderr.on('error', goOn);
  process.stdout.on('error', goOn);
  const logger = pino(
    {
      level: options.logLevel,
      base: null,
      formatters: { level: (level) => ({ level }) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    isPretty(options.logFormat) ? prettyTo(stderr) : stderr,
  );
  const bounded = new BoundedLog(({ event, line, fields }: Entry) =>
    logger[LOG_EVENTS[event].level]({ event, ...told(event, fields) }, line),
  );
  return {
    log: (event, line, fields = {}) => bounded.tell({ event, line, fields }),
    flush: () => bounded.flush(),
  };
}

function isPretty(format: LogFormat): boolean {
  return format === 'pretty' || (format === 'auto' && process.stderr.isTTY === true);
}

function prettyTo(destination: Destination): Destination {
  // Knows of NO_COLOR, FORCE_COLOR and terminals without colours.
  const hasColours = process.stderr.isTTY === true && process.stderr.hasColors();
  return { write: (line) => destination.write(prettyLine(line, hasColours)) };
}

/** A handler's errors may quote an order. */
function told(event: LogEvent, fields: LogFields): Record<string, unknown> {
  const hasMessage = !event.startsWith('handler-');
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Error ? toldError(value, hasMessage) : value,
    ]),
  );
}
