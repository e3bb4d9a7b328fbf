import type { LoggedEvent } from '../model/log.js';

/** How many events the live page shows. */
const EVENTS_MAX = 20;
/** A longer text is cut: messages of servers and file systems have any length. */
const CHARS_MAX = 300;

/** Fields that the live page does not show in a few words: what a handler says of an order may quote it. */
const NOT_SHOWN = ['reason', 'leftOut'];

export interface WrittenEvent extends Omit<LoggedEvent, 'facts' | 'leftOut'> {
  /** As they were written. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The latest lines of the log. */
export class RecentEvents {
  #events: readonly LoggedEvent[] = [];

  /** @param event without secrets */
  add({ fields, ...event }: WrittenEvent): void {
    const line = shortened(event.line);
    const leftOut = Number(fields.leftOut ?? 0);
    const added = { ...event, line, facts: shortened(factsOf(fields)), leftOut };
    this.#events = [...this.#events.slice(1 - EVENTS_MAX), added];
  }

  /** Oldest first. The same array until the next `add`. */
  list(): readonly LoggedEvent[] {
    return this.#events;
  }
}

function factsOf(fields: WrittenEvent['fields']): string {
  return Object.entries(fields)
    .filter(([name, value]) => typeof value !== 'object' && !NOT_SHOWN.includes(name))
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

/** One line, cut by whole characters: half of one is no valid text. */
function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  if (line.length <= CHARS_MAX) return line;
  return `${line.slice(0, CHARS_MAX - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
