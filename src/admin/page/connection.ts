import type { DrainView } from '../../model/drain-view.js';
import type { LiveFacts, LiveNow, LiveRow } from '../../model/live.js';
import type { LoggedEvent } from '../../model/log.js';

export interface ConnectionEvents {
  hello(facts: LiveFacts): void;
  rows(now: LiveNow, rows: readonly LiveRow[]): void;
  log(events: readonly LoggedEvent[]): void;
  drain(view: DrainView): void;
  /** @param nextTryMs time of the next attempt, epoch milliseconds */
  lost(sinceMs: number, nextTryMs: number): void;
}

/** The server sends data once a second. After this time without data the connection counts as lost. */
const SILENCE_MS_MAX = 5000;
const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 5000;

/**
 * The stream from the server, for as long as the page is open. The reconnection of EventSource is not enough: it stops
 * after a response other than 200, for example from a proxy, and does not detect a silent connection.
 */
export class Connection {
  readonly #url: string;
  readonly #events: ConnectionEvents;
  #source: EventSource | null = null;
  #lastId = '';
  #lastEventMs = 0;
  #lostAtMs = 0;
  #retryMs = RETRY_MS_MIN;
  #retry = 0;

  constructor(url: string, events: ConnectionEvents) {
    this.#url = url;
    this.#events = events;
    setInterval(() => {
      if (this.#source !== null && Date.now() - this.#lastEventMs > SILENCE_MS_MAX) this.#lose();
    }, 1000);
    window.addEventListener('online', () => {
      if (this.#source === null) this.open();
    });
  }

  open(): void {
    clearTimeout(this.#retry);
    this.#lastEventMs = Date.now();
    const source = new EventSource(`${this.#url}?after=${encodeURIComponent(this.#lastId)}`);
    this.#source = source;
    source.addEventListener('hello', (event) => {
      this.#lastEventMs = Date.now();
      this.#events.hello(JSON.parse(event.data) as LiveFacts);
    });
    source.addEventListener('rows', (event) => {
      this.#lastEventMs = Date.now();
      this.#lostAtMs = 0;
      this.#retryMs = RETRY_MS_MIN;
      this.#lastId = event.lastEventId;
      const { now, rows } = JSON.parse(event.data) as { now: LiveNow; rows: LiveRow[] };
      this.#events.rows(now, rows);
    });
    source.addEventListener('drain', (event) => {
      this.#events.drain(JSON.parse(event.data) as DrainView);
    });
    source.addEventListener('log', (event) => {
      this.#lastEventMs = Date.now();
      this.#events.log(JSON.parse(event.data) as LoggedEvent[]);
    });
    source.addEventListener('error', () => this.#lose());
  }

  #lose(): void {
    this.#source?.close();
    this.#source = null;
    this.#lostAtMs ||= Date.now();
    this.#events.lost(this.#lostAtMs, Date.now() + this.#retryMs);
    this.#retry = window.setTimeout(() => this.open(), this.#retryMs);
    this.#retryMs = Math.min(RETRY_MS_MAX, this.#retryMs * 2);
  }
}
