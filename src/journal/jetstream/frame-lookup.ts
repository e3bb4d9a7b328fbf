import { frameTimeMs } from '../../model/frame.js';
import type { FoundFrame, StreamSearch } from '../nats/stream-search.js';

/** Concurrent searches, and the callers that may wait for one: searches take time from the drain. */
const SEARCHES_MAX = 8;
const QUEUED_MAX = 64;

/** Frames read per call in the search for one. */
const SCAN_MAX = 1000;

/** Unfinished searches, which the next call for the same frame continues. */
const UNFINISHED_MAX = 1000;

/**
 * How long after its end no message can be stored in a span of time any more, whatever the uncertainty about the
 * server's clock. Only then may the next call skip what was read: even a server that has lost its last messages, and
 * reuses their sequence numbers, stores none of them in that span.
 */
const OVER_MS = 3000;

/** A stream of this size is searched completely, whatever the times. */
const SMALL_STREAM = 256;

/** How far the clocks of processes on the stream may differ. */
const CLOCKS_MS = 1000;
/** The possible error in what is known about the server's clock. */
const ERROR_MS = 50;

/** Where frames were found, so that repeated calls cost one request each. */
const SEEN_MAX = 10_000;

/** Where a search continues. */
interface ResumePoint {
  /** Index of the span of time. */
  readonly span: number;
  readonly seq: number;
}

const START: ResumePoint = { span: 0, seq: 0 };

/** Finds out whether a fresh frame waits in the stream, at a bounded cost. */
export class FrameLookup {
  readonly #search: Pick<StreamSearch, 'stored' | 'size' | 'at'>;
  readonly #spansMs: readonly (readonly [number, number])[];
  readonly #scanMax: number;
  readonly #underWay = new Map<string, Promise<number>>();
  readonly #queue: (() => void)[] = [];
  readonly #seen = new Map<string, number>();
  readonly #unfinished = new Map<string, ResumePoint>();
  #searches = 0;

  /** @param commitMsMax the longest time from the time in a frame's id until it is stored */
  constructor(
    search: Pick<StreamSearch, 'stored' | 'size' | 'at'>,
    commitMsMax: number,
    scanMax = SCAN_MAX,
  ) {
    this.#search = search;
    // Nearly always in the first.
    this.#spansMs = [
      [-ERROR_MS, commitMsMax],
      [-CLOCKS_MS, -ERROR_MS],
    ];
    this.#scanMax = scanMax;
  }

  /**
   * The number of orders in the frame if it waits in the stream, else 0.
   * @throws Error it cannot be determined: NATS does not answer, or the search would cost too much at once;
   *   repeated calls, some seconds apart, continue the search
   */
  ordersOf(frameId: string): Promise<number> {
    const known = this.#underWay.get(frameId);
    if (known !== undefined) return known;
    const asked = this.#inTurn(() => this.#find(frameId)).finally(() =>
      this.#underWay.delete(frameId),
    );
    this.#underWay.set(frameId, asked);
    return asked;
  }

  /** The sequence number of a frame that `ordersOf` has found; null if it is not known. */
  seqOf(frameId: string): number | null {
    return this.#seen.get(frameId) ?? null;
  }

  async #inTurn(search: () => Promise<number>): Promise<number> {
    if (this.#searches < SEARCHES_MAX) this.#searches++;
    else if (this.#queue.length >= QUEUED_MAX)
      throw new Error('too many receipts are requested at once');
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
    try {
      return await search();
    } finally {
      const next = this.#queue.shift();
      // The next search takes over the slot.
      if (next === undefined) this.#searches--;
      else next();
    }
  }

  async #find(frameId: string): Promise<number> {
    const timeMs = frameTimeMs(frameId);
    if (Number.isNaN(timeMs)) return 0;
    const seenSeq = this.#seen.get(frameId);
    if (seenSeq !== undefined) {
      const found = await this.#search.at(seenSeq);
      if (found?.frameId === frameId) return found.count;
      this.#seen.delete(frameId);
    }
    const orders = await this.#findInSpans(frameId, timeMs);
    if (orders > 0) return orders;
    if ((await this.#search.size()) <= SMALL_STREAM) {
      return this.#scan(frameId, this.#search.stored(Number.NEGATIVE_INFINITY), null);
    }
    if (timeMs <= Date.now() + CLOCKS_MS) return 0;
    throw new Error('the clock was set back, so the frame cannot be found by its time');
  }

  /** Continues where the last call stopped. */
  async #findInSpans(frameId: string, timeMs: number): Promise<number> {
    const from = this.#unfinished.get(frameId) ?? START;
    for (let span = from.span; span < this.#spansMs.length; span++) {
      const [fromMs, toMs] = this.#spansMs[span]!;
      const isOver = Date.now() > timeMs + toMs + OVER_MS;
      const seq = span === from.span ? from.seq : 0;
      const frames = this.#search.stored(timeMs + fromMs, timeMs + toMs, seq);
      const orders = await this.#scan(frameId, frames, isOver ? span : null);
      if (orders > 0) return orders;
    }
    return 0;
  }

  /** @param span index of the span that the frames are from, if the search can be continued; else null */
  async #scan(
    frameId: string,
    frames: AsyncIterable<FoundFrame>,
    span: number | null,
  ): Promise<number> {
    let scanned = 0;
    for await (const found of frames) {
      if (found.frameId === frameId) {
        keep(this.#seen, SEEN_MAX, frameId, found.seq);
        return found.count;
      }
      if (++scanned < this.#scanMax) continue;
      if (span !== null) {
        keep(this.#unfinished, UNFINISHED_MAX, frameId, { span, seq: found.seq + 1 });
      }
      throw new Error('too many frames were stored at that time');
    }
    return 0;
  }
}

/** Removes the oldest entry when there are too many. */
function keep<T>(map: Map<string, T>, max: number, key: string, value: T): void {
  map.set(key, value);
  if (map.size <= max) return;
  const [oldest] = map.keys();
  map.delete(oldest!);
}
