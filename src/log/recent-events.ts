import type { LoggedEvent } from '../model/log.js';

/** How many events the live page shows. */
const EVENTS_MAX = 20;
/** A longer line is cut: messages of servers and file systems have any length. */
const LINE_CHARS_MAX = 300;

/** The latest lines of the log. */
export class RecentEvents {
  #events: readonly LoggedEvent[] = [];

  /** @param event its line without secrets */
  add(event: LoggedEvent): void {
    const line = cut(event.line.replace(/\s+/g, ' '));
    this.#events = [...this.#events.slice(1 - EVENTS_MAX), { ...event, line }];
  }

  /** Oldest first. The same array until the next `add`. */
  list(): readonly LoggedEvent[] {
    return this.#events;
  }
}

/** By whole characters: half of one is no valid text. */
function cut(line: string): string {
  if (line.length <= LINE_CHARS_MAX) return line;
  return `${line.slice(0, LINE_CHARS_MAX - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
