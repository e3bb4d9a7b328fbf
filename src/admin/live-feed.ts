import type { ServerResponse } from 'node:http';
import type { LiveSource } from '../model/live.js';

const TICK_MS = 1000;
export const STREAM = 'text/event-stream';
/** Half of the admin server's connections; the others are for scrapes and probes. */
export const VIEWERS_MAX = 32;
/** A viewer is disconnected if it has not read its data while more than this number of rows were added. */
const ROWS_BEHIND_MAX = 10;

interface Viewer {
  readonly response: ServerResponse;
  /** Number of the first row not sent yet. */
  nextRow: number;
  /** The events that it has, by identity. */
  events: readonly unknown[] | null;
  /** The state of the drain that it has, as JSON. */
  drain: string;
  rowsBehind: number;
}

/**
 * The live page's stream of server-sent events: `hello` with the facts, then `rows` once a second, `log` when there
 * are new lines of the log, and `drain` when something about the drain has changed. The first `rows` has the history. A row is recorded every second, with or without viewers.
 *
 * The memory of each viewer is bounded: it gets no more data until it has read what it was sent, which is at most the
 * history and the kept lines. Then it gets the rows it missed.
 */
export class LiveFeed {
  readonly #source: LiveSource;
  readonly #ring: RowRing;
  readonly #tickMs: number;
  readonly #viewers = new Set<Viewer>();
  readonly #takeDrain: () => object;
  readonly #refresh: () => Promise<void>;
  #now = 'null';
  #drain = '';
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  /**
   * @param drain the state of the drain
   * @param refresh brings up to date what the other two tell; does not reject
   * @param tickMs interval between two rows
   */
  constructor(
    source: LiveSource,
    drain: () => object,
    refresh: () => Promise<void>,
    tickMs = TICK_MS,
  ) {
    this.#source = source;
    this.#refresh = refresh;
    this.#takeDrain = drain;
    this.#tickMs = tickMs;
    this.#ring = new RowRing(source.facts.historyS);
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.#tick(), this.#tickMs);
    this.#timer.unref();
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  /** Whether no further viewer can join: too many viewers, or the feed is closed. */
  get isFull(): boolean {
    return this.#closed || this.viewers >= VIEWERS_MAX;
  }

  /**
   * Streams to this client until it disconnects.
   *
   * @param after id of the last event that the client has, possibly from another process; empty if it has none
   */
  join(response: ServerResponse, after: string): void {
    const { facts } = this.#source;
    response.writeHead(200, {
      'Content-Type': STREAM,
      'Cache-Control': 'no-store',
      // Tells proxies not to buffer the stream.
      'X-Accel-Buffering': 'no',
      Connection: 'close',
    });
    const [boot, row] = after.split(':');
    const known = boot === facts.boot ? Number(row) + 1 : 0;
    const viewer: Viewer = {
      response,
      nextRow: known <= this.#ring.next ? known : 0,
      events: null,
      drain: '',
      rowsBehind: 0,
    };
    response.on('close', () => this.#viewers.delete(viewer));
    response.on('error', () => response.destroy());
    this.#viewers.add(viewer);
    response.write(`event: hello\ndata: ${JSON.stringify(facts)}\n\n`);
    if (this.#now !== 'null') this.#sendTo(viewer);
  }

  /** Ends all streams at once, for good. */
  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#closed = true;
    this.disconnect();
  }

  /** Ends all streams at once. Viewers can join again. */
  disconnect(): void {
    for (const { response } of this.#viewers) {
      if (response.writableLength > 0) response.destroy();
      else response.end();
    }
    this.#viewers.clear();
  }

  async #tick(): Promise<void> {
    await this.#refresh();
    if (this.#closed) return;
    try {
      const { row, now } = this.#source.take();
      this.#ring.add(JSON.stringify(row));
      this.#now = JSON.stringify(now);
      this.#drain = JSON.stringify(this.#takeDrain());
    } catch {
      // A journal that is closing may no longer know its numbers. The page reports that no data arrives; an error here
      // must not end the process.
      return;
    }
    for (const viewer of this.#viewers) {
      if (viewer.response.writableLength === 0) {
        viewer.rowsBehind = 0;
        this.#sendTo(viewer);
      } else if (++viewer.rowsBehind > ROWS_BEHIND_MAX) {
        viewer.response.destroy();
      }
    }
  }

  #sendTo(viewer: Viewer): void {
    const ring = this.#ring;
    const rows = ring.since(viewer.nextRow);
    viewer.nextRow = ring.next;
    const events = this.#source.events();
    if (events !== viewer.events) {
      viewer.events = events;
      viewer.response.write(`event: log\ndata: ${JSON.stringify(events)}\n\n`);
    }
    if (this.#drain !== viewer.drain) {
      viewer.drain = this.#drain;
      viewer.response.write(`event: drain\ndata: ${this.#drain}\n\n`);
    }
    viewer.response.write(
      `id: ${this.#source.facts.boot}:${ring.next - 1}\nevent: rows\ndata: {"now":${this.#now},"rows":${rows}}\n\n`,
    );
  }
}

/** The latest `rowsMax` rows as JSON text, numbered from 0. A row is serialized once, however many viewers read it. */
export class RowRing {
  readonly #rows: string[];
  #next = 0;

  constructor(rowsMax: number) {
    this.#rows = new Array<string>(rowsMax).fill('');
  }

  /** The number of the next row. */
  get next(): number {
    return this.#next;
  }

  add(row: string): void {
    this.#rows[this.#next % this.#rows.length] = row;
    this.#next++;
  }

  /** The rows from number `first` on that are still kept, as a JSON array. */
  since(first: number): string {
    const rows: string[] = [];
    const oldest = Math.max(0, this.#next - this.#rows.length);
    for (let i = Math.max(first, oldest); i < this.#next; i++) {
      rows.push(this.#rows[i % this.#rows.length]);
    }
    return `[${rows.join(',')}]`;
  }
}
