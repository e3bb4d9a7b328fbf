import type { LogEvent, LogFields } from '../model/log.js';

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
export class BoundedLog {
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
