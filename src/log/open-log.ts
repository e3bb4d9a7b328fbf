import { pino } from 'pino';
import { LOG_EVENTS, type Log, type LogEvent, type LogFields } from '../model/log.js';
import type { LogFormat, Options } from '../model/options.js';
import { loggedError, prettyLine } from './format.js';

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
  const bounded = new RepeatLimiter(({ event, line, fields }: Entry) =>
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
      value instanceof Error ? loggedError(value, hasMessage) : value,
    ]),
  );
}

/** At most one line of each event so often; milliseconds. */
const REPEAT_MS_MIN = 10_000;

/** One line on its way to the log. */
export interface Entry {
  readonly event: LogEvent;
  readonly line: string;
  readonly fields: LogFields;
}

interface Bound {
  /** The newest of those held back; null when there is none. */
  held: Entry | null;
  /** Those held back since the last line, `held` itself not counted. */
  leftOut: number;
  timer: NodeJS.Timeout;
}

/**
 * Holds each event to one line in ten seconds: the first at once, and when ten seconds are over the newest of
 * those that came meanwhile, with the number of the others as `leftOut`. So the log says how a fault that
 * repeats stands, and grows no faster for repeating.
 */
export class RepeatLimiter {
  readonly #write: (entry: Entry) => void;
  /** Events told less than ten seconds ago. */
  readonly #bounds = new Map<LogEvent, Bound>();

  constructor(write: (entry: Entry) => void) {
    this.#write = write;
  }

  tell(entry: Entry): void {
    const bound = this.#bounds.get(entry.event);
    if (bound === undefined) {
      this.#write(entry);
      this.#bounds.set(entry.event, { held: null, leftOut: 0, timer: this.#wait(entry.event) });
      return;
    }
    if (bound.held !== null) bound.leftOut++;
    bound.held = entry;
  }

  /** Writes what is held back: the process is about to end. */
  flush(): void {
    for (const [event, bound] of this.#bounds) {
      clearTimeout(bound.timer);
      this.#bounds.delete(event);
      this.#release(bound);
    }
  }

  #wait(event: LogEvent): NodeJS.Timeout {
    const timer = setTimeout(() => this.#onDue(event), REPEAT_MS_MIN);
    timer.unref();
    return timer;
  }

  #onDue(event: LogEvent): void {
    const bound = this.#bounds.get(event)!;
    if (!this.#release(bound)) this.#bounds.delete(event);
    else this.#bounds.set(event, { held: null, leftOut: 0, timer: this.#wait(event) });
  }

  #release({ held, leftOut }: Bound): boolean {
    if (held === null) return false;
    const fields = leftOut === 0 ? held.fields : { ...held.fields, leftOut };
    this.#write({ ...held, fields });
    return true;
  }
}
