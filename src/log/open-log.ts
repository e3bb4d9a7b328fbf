import { pino } from 'pino';
import {
  BOUNDED_EVENTS,
  LINES_MAX,
  LOG_EVENTS,
  type Log,
  type LogEvent,
  type LogFields,
  type LoggedEvent,
} from '../model/log.js';
import type { LogFormat, Options } from '../model/options.js';
import type { Redact } from '../model/redact.js';
import { type LoggedError, loggedError, prettyLine } from './format.js';
import { RecentEvents } from './recent-events.js';

const STDERR = 2;

/** Bytes of log lines that wait while stderr accepts none. */
const WAITING_BYTES_MAX = 1024 ** 2;

export interface OpenLog {
  readonly log: Log;
  /** Writes the lines that the repeat limit holds back. Call it before the process ends. */
  readonly flush: () => void;
  /** Removes the secrets that the log removes, for what does not go to the log. */
  readonly redact: Redact;
  /** The latest lines that were written, oldest first; as they were written, without their fields. */
  readonly recent: () => readonly LoggedEvent[];
}

/** Accepts complete lines. */
interface Destination {
  write(line: string): unknown;
}

/**
 * The log of the process, on stderr: JSON lines, or lines for reading.
 *
 * Writes are synchronous, so that the line with the reason for an exit is written before the exit.
 */
export function openLog(options: Pick<Options, 'logLevel' | 'logFormat'>, redact: Redact): OpenLog {
  const stderr = pino.destination({ dest: STDERR, sync: true, maxLength: WAITING_BYTES_MAX });
  // A full disk or a closed pipe must not end the server.
  stderr.on('error', () => {});
  const logger = pino(
    {
      level: options.logLevel,
      base: null,
      formatters: { level: (level) => ({ level }) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    isPretty(options.logFormat) ? prettyTo(stderr) : stderr,
  );
  const recent = new RecentEvents();
  const limiter = new RepeatLimiter(({ event, line: unsafeLine, fields }: Entry) => {
    const { level } = LOG_EVENTS[event];
    const line = redact(unsafeLine);
    const logged = loggedFields(event, fields, redact);
    logger[level]({ event, ...logged }, line);
    if (!logger.isLevelEnabled(level)) return;
    recent.add({ atMs: Date.now(), level, event, line, fields: logged });
  });
  return {
    log: (event, line, fields = {}) => limiter.log({ event, line, fields }),
    flush: () => limiter.flush(),
    redact,
    recent: () => recent.list(),
  };
}

function isPretty(format: LogFormat): boolean {
  return format === 'pretty' || (format === 'auto' && process.stderr.isTTY === true);
}

function prettyTo(destination: Destination): Destination {
  // hasColors respects NO_COLOR, FORCE_COLOR and the type of terminal.
  const hasColours = process.stderr.isTTY === true && process.stderr.hasColors();
  return { write: (line) => destination.write(prettyLine(line, hasColours)) };
}

/** Leaves out the message of handler errors, which may quote an order. */
function loggedFields(event: LogEvent, fields: LogFields, redact: Redact): Record<string, unknown> {
  const hasMessage = !event.startsWith('handler-');
  const logged = (value: LogFields[string]) => {
    if (value instanceof Error) return redactedFields(loggedError(value, hasMessage), redact);
    return typeof value === 'string' ? redact(value) : value;
  };
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, logged(value)]));
}

function redactedFields(error: LoggedError, redact: Redact): Record<string, string> {
  return Object.fromEntries(Object.entries(error).map(([name, text]) => [name, redact(text)]));
}

/** Shortest time between two lines of the same event; milliseconds. */
const REPEAT_MS_MIN = 10_000;

/** One line to log. */
export interface Entry {
  readonly event: LogEvent;
  readonly line: string;
  readonly fields: LogFields;
}

interface RecentEvent {
  /** The latest entry that is held back; null when there is none. */
  latest: Entry | null;
  /** Entries since the last line, without `latest`. */
  leftOut: number;
  /** Lines within these ten seconds. */
  lines: number;
  timer: NodeJS.Timeout;
}

/**
 * Limits each event to one line in ten seconds. The first is written at once. After ten seconds the latest of those
 * that followed is written, with the number of the others as `leftOut`. Some events have more lines: see `LINES_MAX`. Events that are bounded where they arise are not limited.
 */
export class RepeatLimiter {
  readonly #write: (entry: Entry) => void;
  /** Events logged less than ten seconds ago. */
  readonly #recent = new Map<LogEvent, RecentEvent>();

  constructor(write: (entry: Entry) => void) {
    this.#write = write;
  }

  log(entry: Entry): void {
    if (BOUNDED_EVENTS.has(entry.event)) {
      this.#write(entry);
      return;
    }
    const recent = this.#recent.get(entry.event);
    if (recent === undefined) {
      this.#write(entry);
      this.#begin(entry.event);
      return;
    }
    if (recent.lines < (LINES_MAX.get(entry.event) ?? 1)) {
      recent.lines++;
      this.#write(entry);
      return;
    }
    if (recent.latest !== null) recent.leftOut++;
    recent.latest = entry;
  }

  /** Writes all lines that are held back. */
  flush(): void {
    for (const [event, recent] of this.#recent) {
      clearTimeout(recent.timer);
      this.#recent.delete(event);
      this.#release(recent);
    }
  }

  #wait(event: LogEvent): NodeJS.Timeout {
    const timer = setTimeout(() => this.#onDue(event), REPEAT_MS_MIN);
    timer.unref();
    return timer;
  }

  #onDue(event: LogEvent): void {
    const recent = this.#recent.get(event)!;
    if (!this.#release(recent)) this.#recent.delete(event);
    else this.#begin(event);
  }

  #begin(event: LogEvent): void {
    this.#recent.set(event, { latest: null, leftOut: 0, lines: 1, timer: this.#wait(event) });
  }

  #release({ latest, leftOut }: RecentEvent): boolean {
    if (latest === null) return false;
    const fields = leftOut === 0 ? latest.fields : { ...latest.fields, leftOut };
    this.#write({ ...latest, fields });
    return true;
  }
}
