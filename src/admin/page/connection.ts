import type { LiveFacts, LiveNow, LiveRow } from '../../model/live.js';

export interface Heard {
  hello(facts: LiveFacts): void;
  rows(now: LiveNow, rows: readonly LiveRow[]): void;
  /** @param nextTryMs when the server is asked again; epoch milliseconds */
  lost(sinceMs: number, nextTryMs: number): void;
}

/** The server speaks once a second: after such a silence nobody is there. */
const SILENCE_MS_MAX = 5000;
const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 5000;

/**
 * The stream from the server, for as long as the page is open. EventSource's own reconnecting gives
 * up on an answer other than 200 (a proxy whose server is away) and does not notice a silence.
 */
export class Connection {
  readonly #url: string;
  readonly #heard: Heard;
  #source: EventSource | null = null;
  #lastId = '';
  #heardAtMs = 0;
  #lostAtMs = 0;
  #retryMs = RETRY_MS_MIN;
  #retry = 0;

  constructor(url: string, heard: Heard) {
    this.#url = url;
    this.#heard = heard;
    setInterval(() => {
      if (this.#source !== null && Date.now() - this.#heardAtMs > SILENCE_MS_MAX) this.#lose();
    }, 1000);
    window.addEventListener('online', () => {
      if (this.#source === null) this.open();
    });
  }

  open(): void {
    clearTimeout(this.#retry);
    this.#heardAtMs = Date.now();
    const source = new EventSource(`${this.#url}?after=${encodeURIComponent(this.#lastId)}`);
    this.#source = source;
    source.addEventListener('hello', (event) => {
      this.#heardAtMs = Date.now();
      this.#heard.hello(JSON.parse(event.data) as LiveFacts);
    });
    source.addEventListener('rows', (event) => {
      this.#heardAtMs = Date.now();
      this.#lostAtMs = 0;
      this.#retryMs = RETRY_MS_MIN;
      this.#lastId = event.lastEventId;
      const { now, rows } = JSON.parse(event.data) as { now: LiveNow; rows: LiveRow[] };
      this.#heard.rows(now, rows);
    });
    source.addEventListener('error', () => this.#lose());
  }

  #lose(): void {
    this.#source?.close();
    this.#source = null;
    this.#lostAtMs ||= Date.now();
    this.#heard.lost(this.#lostAtMs, Date.now() + this.#retryMs);
    this.#retry = window.setTimeout(() => this.open(), this.#retryMs);
    this.#retryMs = Math.min(RETRY_MS_MAX, this.#retryMs * 2);
  }
}
