import type { ServerResponse } from 'node:http';
import type { LiveSource } from '../model/live.js';
import { RowRing } from './row-ring.js';

const TICK_MS = 1000;
export const STREAM = 'text/event-stream';
/** Half of the connections that the admin server takes: the others are for scrapes and probes. */
export const VIEWERS_MAX = 32;
/** A viewer that has not read what it was sent by the time of so many further rows is cut off. */
const ROWS_BEHIND_MAX = 10;

interface Viewer {
  readonly response: ServerResponse;
  /** Number of the first row that it has not been sent. */
  nextRow: number;
  rowsBehind: number;
}

/**
 * The live page's stream, as server-sent events: `hello` with the facts, then `rows` once a second,
 * of which the first has the history. A row is taken once a second whether anybody looks or not.
 *
 * What a viewer holds in memory is bounded: it is sent nothing more until it has read what it was
 * sent, which is at most the history. Then it gets the rows it missed.
 */
export class LiveFeed {
  readonly #source: LiveSource;
  readonly #ring: RowRing;
  readonly #tickMs: number;
  readonly #viewers = new Set<Viewer>();
  #now = 'null';
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  /** @param tickMs between two rows */
  constructor(source: LiveSource, tickMs = TICK_MS) {
    this.#source = source;
    this.#tickMs = tickMs;
    this.#ring = new RowRing(source.facts.historyS);
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#tick(), this.#tickMs);
    this.#timer.unref();
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  /** Whether one viewer more is too many; none is taken any more once it is closed. */
  get isFull(): boolean {
    return this.#closed || this.viewers >= VIEWERS_MAX;
  }

  /**
   * Streams to this client until it goes away.
   *
   * @param after id of the last event that it has, of whichever process; empty when it has none
   */
  join(response: ServerResponse, after: string): void {
    const { facts } = this.#source;
    response.writeHead(200, {
      'Content-Type': STREAM,
      'Cache-Control': 'no-store',
      // Proxies that gather answers would hold the stream back.
      'X-Accel-Buffering': 'no',
      Connection: 'close',
    });
    const [boot, row] = after.split(':');
    const known = boot === facts.boot ? Number(row) + 1 : 0;
    const viewer: Viewer = {
      response,
      nextRow: known <= this.#ring.next ? known : 0,
      rowsBehind: 0,
    };
    response.on('close', () => this.#viewers.delete(viewer));
    response.on('error', () => response.destroy());
    this.#viewers.add(viewer);
    response.write(`event: hello\ndata: ${JSON.stringify(facts)}\n\n`);
    if (this.#now !== 'null') this.#sendTo(viewer);
  }

  /** Ends all streams at once. */
  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#closed = true;
    for (const { response } of this.#viewers) {
      if (response.writableLength > 0) response.destroy();
      else response.end();
    }
    this.#viewers.clear();
  }

  #tick(): void {
    try {
      const { row, now } = this.#source.take();
      this.#ring.add(JSON.stringify(row));
      this.#now = JSON.stringify(now);
    } catch {
      // A journal that is being closed may not know its numbers any more. The page says that no
      // numbers come; a fault here must not end the process.
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
    viewer.response.write(
      `id: ${this.#source.facts.boot}:${ring.next - 1}\nevent: rows\ndata: {"now":${this.#now},"rows":${rows}}\n\n`,
    );
  }
}
